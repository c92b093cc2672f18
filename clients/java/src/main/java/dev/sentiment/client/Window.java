package dev.sentiment.client;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Deque;
import java.util.List;
import java.util.PriorityQueue;
import java.util.Queue;

/** Texts that were read and not yet handed out, in their order. {@link Asking} locks it. */
final class Window {
  private final int size;
  private final Deque<Question> questions = new ArrayDeque<>();

  /** Those to be asked, or asked again. */
  private final Queue<Question> waiting = new PriorityQueue<>();

  private long read;
  private int unanswered;
  private boolean complete;

  Window(int size) {
    this.size = size;
  }

  boolean isFull() {
    return questions.size() >= size;
  }

  boolean isEmpty() {
    return questions.isEmpty();
  }

  void add(String text) {
    Question question = new Question(read++, text);
    questions.add(question);
    waiting.add(question);
    unanswered++;
  }

  /** No more texts will come. */
  void complete() {
    complete = true;
  }

  boolean isComplete() {
    return complete;
  }

  boolean allAnswered() {
    return unanswered == 0;
  }

  int underWay() {
    return unanswered - waiting.size();
  }

  int waiting() {
    return waiting.size();
  }

  /** The first of those that wait. */
  Question takeWaiting() {
    return waiting.remove();
  }

  List<Question> takeWaiting(int most) {
    List<Question> taken = new ArrayList<>();
    while (taken.size() < most && !waiting.isEmpty()) taken.add(waiting.remove());
    return taken;
  }

  void putBack(Collection<Question> lost) {
    waiting.addAll(lost);
  }

  void settle(Question question, Outcome outcome) {
    question.outcome = outcome;
    unanswered--;
  }

  boolean hasOutcome() {
    return !questions.isEmpty() && questions.element().outcome != null;
  }

  Outcome takeOutcome() {
    return questions.remove().outcome;
  }
}
