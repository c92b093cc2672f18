package dev.sentiment.client;

import java.util.ArrayDeque;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.CompletableFuture;

/** Asks by calls of AnalyzeBatch. */
final class BatchAsking extends Asking {
  private final BatchSettings settings;
  private final Set<CompletableFuture<?>> underWay = new HashSet<>();

  /** Of calls that were too large: asked next. */
  private final Queue<List<Question>> parts = new ArrayDeque<>();

  BatchAsking(Calls calls, AnalyzeParams params, BatchSettings settings, Set<Asking> open) {
    // Twice what is under way: while the first call lags, the others' places are filled.
    super(
        calls,
        params,
        2 * settings.batchSize() * settings.concurrency(),
        settings.batchSize() * settings.concurrency(),
        settings.giveUpAfter(),
        open);
    this.settings = settings;
  }

  @Override
  boolean askSome(int most) {
    if (underWay.size() >= settings.concurrency()) return false;
    if (!parts.isEmpty()) {
      ask(parts.remove());
      return true;
    }
    int size = Math.min(settings.batchSize(), most);
    int waiting = window.waiting();
    // No linger: where nothing is under way, what waits goes at once.
    boolean isEnough = waiting >= size || window.isComplete() || underWay.isEmpty();
    if (size <= 0 || waiting == 0 || !isEnough) return false;
    ask(window.takeWaiting(size));
    return true;
  }

  private void ask(List<Question> batch) {
    List<String> texts = batch.stream().map(question -> question.text).toList();
    CompletableFuture<List<Outcome>> call = calls.tryBatch(caller, texts, params);
    underWay.add(call);
    call.whenComplete((outcomes, error) -> locked(() -> ended(call, batch, outcomes, error)));
  }

  private void ended(
      CompletableFuture<?> call, List<Question> batch, List<Outcome> outcomes, Throwable error) {
    // Else it was cancelled.
    if (!underWay.remove(call)) return;
    if (error != null) {
      lost(batch, SentimentException.of(error));
      return;
    }
    for (int i = 0; i < batch.size(); i++) {
      if (outcomes.get(i) instanceof Outcome.Failure failure) failed(batch.get(i), failure.error());
      else answered(batch.get(i), outcomes.get(i).sentiment());
    }
  }

  /** A call is overdue also where that server alone hangs: another may be well. */
  @Override
  boolean isPassing(SentimentException error) {
    return super.isPassing(error) || error.isOverdue();
  }

  @Override
  void tooLarge(Collection<Question> batch, SentimentException error) {
    if (batch.size() == 1) {
      batch.forEach(question -> isTooLarge(question, error));
      return;
    }
    List<Question> all = List.copyOf(batch);
    int half = all.size() / 2;
    parts.add(all.subList(0, half));
    parts.add(all.subList(half, all.size()));
  }

  @Override
  void cancel() {
    List<CompletableFuture<?>> calls = List.copyOf(underWay);
    underWay.clear();
    parts.clear();
    calls.forEach(call -> call.cancel(true));
  }
}
