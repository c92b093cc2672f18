package dev.sentiment.client;

import static java.util.Objects.requireNonNull;
import static java.util.concurrent.TimeUnit.NANOSECONDS;

import io.grpc.Context;
import io.grpc.Deadline;
import io.grpc.Status.Code;
import io.grpc.stub.ClientCallStreamObserver;
import io.grpc.stub.ClientResponseObserver;
import io.grpc.stub.StreamObserver;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;
import java.util.function.Function;

/**
 * What a call with one answer comes to, maybe after several tries. Cancelling it cancels the call.
 */
final class Answer<S, R> extends CompletableFuture<R> implements ClientResponseObserver<Object, S> {
  private final Context context = Context.current();
  private final Consumer<StreamObserver<S>> method;
  private final Function<S, R> read;
  private final Deadline deadline;
  private final Retries retries;
  private int tries;
  private volatile ClientCallStreamObserver<Object> call;
  private S response;

  /** {@code retries}: null for one try only. */
  Answer(
      Consumer<StreamObserver<S>> method, Function<S, R> read, Deadline deadline, Retries retries) {
    this.method = method;
    this.read = read;
    this.deadline = deadline;
    this.retries = retries;
  }

  Answer<S, R> ask() {
    tries++;
    try {
      method.accept(this);
    } catch (RuntimeException error) {
      completeExceptionally(SentimentException.of(error));
    }
    return this;
  }

  void askAgain() {
    if (isDone()) return;
    context.run(this::ask);
    // Cancelled meanwhile.
    if (isDone()) endCall();
  }

  @Override
  public void beforeStart(ClientCallStreamObserver<Object> call) {
    this.call = call;
  }

  @Override
  public void onNext(S response) {
    this.response = response;
  }

  @Override
  public void onError(Throwable error) {
    long delayNanos = retries == null ? Retries.NEVER : retries.delayNanos(tries, error);
    boolean isInTime = delayNanos < deadline.timeRemaining(NANOSECONDS);
    if (delayNanos != Retries.NEVER && isInTime) retries.askLater(this, delayNanos);
    else completeExceptionally(SentimentException.of(error));
  }

  @Override
  public void onCompleted() {
    try {
      complete(read.apply(requireNonNull(response)));
    } catch (RuntimeException error) {
      completeExceptionally(
          new SentimentException(Code.INTERNAL, "the answer cannot be read", error));
    }
  }

  @Override
  public boolean cancel(boolean mayInterruptIfRunning) {
    boolean cancelled = super.cancel(mayInterruptIfRunning);
    if (cancelled) endCall();
    return cancelled;
  }

  private void endCall() {
    call.cancel("the caller has cancelled it", null);
  }
}
