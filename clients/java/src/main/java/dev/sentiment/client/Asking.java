package dev.sentiment.client;

import static java.util.concurrent.TimeUnit.NANOSECONDS;

import dev.sentiment.v1.Sentiment;
import io.grpc.Status.Code;
import java.time.Duration;
import java.util.Collection;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.stream.Stream;

/**
 * Texts in, outcomes out. Three sides meet here: a thread that reads the texts ({@link
 * TextReader}), gRPC's threads with the answers, and the consumer of the outcomes. How the server
 * is asked is up to the two kinds of it.
 */
abstract class Asking {
  final Calls calls;
  final AnalyzeParams params;
  final Caller caller;
  final Window window;
  private final long giveUpAfterNanos;
  private final Set<Asking> open;
  private final Pace pace;

  private final ReentrantLock lock = new ReentrantLock();

  /** The window may have room. */
  private final Condition room = lock.newCondition();

  /** The consumer may have something to take. */
  private final Condition news = lock.newCondition();

  private TextReader reader;
  private boolean started;

  /** Of the last answer, or of the first text that was asked after all had been answered. */
  private long heardAtNanos;

  private boolean wakes;

  /** Since the last answer: an older one says nothing of why it gives up. Else null. */
  private SentimentException lastRefusal;

  /** What the consumer gets after the outcomes before it; nothing is asked any more. */
  private SentimentException failure;

  /** What the texts' iterable threw: for the consumer, after all outcomes. */
  private RuntimeException readError;

  Asking(
      Calls calls,
      AnalyzeParams params,
      int window,
      int mostUnderWay,
      Duration giveUpAfter,
      Set<Asking> open) {
    this.calls = calls;
    this.params = params;
    this.caller = calls.caller();
    this.window = new Window(window);
    this.pace = new Pace(mostUnderWay, System::nanoTime);
    this.giveUpAfterNanos = giveUpAfter.toNanos();
    this.open = open;
  }

  /** Asks some of what waits, at most so many texts; false when there is nothing to ask for now. */
  abstract boolean askSome(int most);

  /** Ends what is under way. */
  abstract void cancel();

  /** What the server said is no reason to end: ask again. */
  boolean isPassing(SentimentException error) {
    return error.isRefusal() || error.isBreak();
  }

  Stream<Outcome> outcomes(Iterable<String> texts) {
    reader = new TextReader(texts, this);
    return Outcomes.stream(this);
  }

  // The reader's side.

  /** Waits for room for one more text; false when no more are wanted. */
  boolean awaitRoom() throws InterruptedException {
    lock.lockInterruptibly();
    try {
      while (window.isFull() && failure == null) room.await();
      return failure == null;
    } finally {
      lock.unlock();
    }
  }

  void add(String text) {
    locked(
        () -> {
          if (window.allAnswered()) heardAtNanos = System.nanoTime();
          window.add(text);
        });
  }

  /** No more texts will come; {@code error}: because the iterable threw, or null. */
  void complete(RuntimeException error) {
    locked(
        () -> {
          readError = error;
          window.complete();
          news.signal();
        });
  }

  // The consumer's side.

  /** The next outcome; null when there are no more. */
  Outcome next() {
    lock.lock();
    try {
      start();
      while (!window.hasOutcome()) {
        if (failure != null) throw failure.thrownHere();
        if (window.isEmpty() && window.isComplete()) return end();
        awaitNews();
      }
      room.signal();
      return window.takeOutcome();
    } catch (InterruptedException error) {
      Thread.currentThread().interrupt();
      fail(new SentimentException(Code.CANCELLED, "the thread was interrupted", error));
      throw failure;
    } finally {
      lock.unlock();
    }
  }

  private void start() {
    if (started || failure != null) return;
    started = true;
    open.add(this);
    reader.start();
  }

  private Outcome end() {
    open.remove(this);
    if (readError != null) throw readError;
    return null;
  }

  private void awaitNews() throws InterruptedException {
    if (window.allAnswered()) {
      news.await();
      return;
    }
    long leftNanos = heardAtNanos + giveUpAfterNanos - System.nanoTime();
    if (leftNanos > 0) news.awaitNanos(leftNanos);
    else fail(gaveUp());
  }

  private SentimentException gaveUp() {
    String message =
        "no text was answered for " + Duration.ofNanos(giveUpAfterNanos).toMillis() / 1e3 + " s";
    if (lastRefusal == null) return new SentimentException(Code.UNAVAILABLE, message, null);
    return lastRefusal.withMessage(
        message + "; the last the server said: " + lastRefusal.getMessage());
  }

  /** May be called at any time, by any thread, and again. */
  void close() {
    locked(() -> fail(new SentimentException(Code.CANCELLED, "it was closed", null)));
  }

  // The server's side. All of it holds the lock.

  /** For gRPC's threads: does that, then asks what may be asked now. */
  final void locked(Runnable step) {
    lock.lock();
    try {
      step.run();
      caller.context().run(this::askAll);
    } catch (RuntimeException error) {
      fail(SentimentException.of(error));
    } finally {
      lock.unlock();
    }
  }

  private void askAll() {
    while (failure == null && !rests() && askSome(pace.texts() - window.underWay())) {}
  }

  private boolean rests() {
    long restNanos = pace.restNanos();
    if (restNanos <= 0) return false;
    if (!wakes && window.waiting() > 0) {
      wakes = true;
      CompletableFuture.delayedExecutor(restNanos, NANOSECONDS).execute(() -> locked(this::wake));
    }
    return true;
  }

  private void wake() {
    wakes = false;
    if (lastRefusal != null && lastRefusal.code() == Code.UNAVAILABLE) calls.connectNow();
  }

  final void answered(Question question, Sentiment sentiment) {
    settle(question, new Outcome.Success(question.index, question.text, sentiment));
  }

  /** That text alone got no answer. */
  final void failed(Question question, SentimentException error) {
    if (error.isRefusal()) askAgain(Set.of(question), error);
    else settle(question, new Outcome.Failure(question.index, question.text, error));
  }

  /** A call ended, and these texts of it were not answered. */
  final void lost(Collection<Question> questions, SentimentException error) {
    boolean isOver = calls.isClosed() || caller.context().isCancelled();
    if (isOver || !isPassing(error)) fail(error);
    else if (error.isTooLarge()) tooLarge(questions, error);
    else askAgain(questions, error);
  }

  /** One of these texts is too large, or all of them together are. */
  abstract void tooLarge(Collection<Question> questions, SentimentException error);

  /** That one is. */
  final void isTooLarge(Question question, SentimentException error) {
    settle(question, new Outcome.Failure(question.index, question.text, error));
  }

  private void askAgain(Collection<Question> questions, SentimentException error) {
    window.putBack(questions);
    lastRefusal = error;
    pace.refused(error);
  }

  private void settle(Question question, Outcome outcome) {
    window.settle(question, outcome);
    heardAtNanos = System.nanoTime();
    lastRefusal = null;
    pace.answered();
    news.signal();
  }

  private void fail(SentimentException error) {
    if (failure != null) return;
    failure = error;
    open.remove(this);
    reader.stop();
    cancel();
    room.signal();
    news.signal();
  }
}
