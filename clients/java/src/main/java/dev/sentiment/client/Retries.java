package dev.sentiment.client;

import static java.util.concurrent.TimeUnit.MILLISECONDS;
import static java.util.concurrent.TimeUnit.NANOSECONDS;

import io.grpc.Metadata;
import io.grpc.Status;
import io.grpc.Status.Code;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ThreadLocalRandom;

/**
 * Tries calls again as gRPC's retry policy would: five tries on UNAVAILABLE, 0.1 s, times 3, at
 * most 2 s, or when the server says. It is not left to gRPC, as grpc-java also tries again whatever
 * comes with a pushback: a call that is refused for its quota would wait unknown to its caller, and
 * might end as one that has missed its deadline.
 */
final class Retries {
  static final long NEVER = -1;

  private static final int MOST_TRIES = 5;
  private static final double FIRST_DELAY_MILLIS = 100;
  private static final double LONGEST_DELAY_MILLIS = 2000;
  private static final double FACTOR = 3;
  private static final double JITTER = 0.2;
  private static final Metadata.Key<String> PUSHBACK =
      Metadata.Key.of("grpc-retry-pushback-ms", Metadata.ASCII_STRING_MARSHALLER);

  private final Set<Answer<?, ?>> waiting = ConcurrentHashMap.newKeySet();
  private volatile boolean closed;

  /**
   * Nanoseconds until the next try of a call that has failed so for the {@code tries}th time; or
   * {@link #NEVER}.
   */
  long delayNanos(int tries, Throwable error) {
    if (closed || tries >= MOST_TRIES) return NEVER;
    if (Status.fromThrowable(error).getCode() != Code.UNAVAILABLE) return NEVER;
    Metadata trailers = Status.trailersFromThrowable(error);
    String pushback = trailers == null ? null : trailers.get(PUSHBACK);
    return pushback == null ? backoffNanos(tries) : pushbackNanos(pushback);
  }

  private static long backoffNanos(int tries) {
    double grown = FIRST_DELAY_MILLIS * Math.pow(FACTOR, tries - 1);
    double jitter = ThreadLocalRandom.current().nextDouble(1 - JITTER, 1 + JITTER);
    return (long) (Math.min(grown, LONGEST_DELAY_MILLIS) * jitter * 1e6);
  }

  /** One that is negative, or no number, forbids another try. */
  private static long pushbackNanos(String pushback) {
    try {
      int millis = Integer.parseInt(pushback);
      return millis < 0 ? NEVER : MILLISECONDS.toNanos(millis);
    } catch (NumberFormatException unreadable) {
      return NEVER;
    }
  }

  void askLater(Answer<?, ?> answer, long delayNanos) {
    waiting.add(answer);
    CompletableFuture.delayedExecutor(delayNanos, NANOSECONDS).execute(() -> askNow(answer));
  }

  private void askNow(Answer<?, ?> answer) {
    if (waiting.remove(answer)) answer.askAgain();
  }

  /** What waits is tried at once, and fails for good: the channel is closed. */
  void close() {
    closed = true;
    waiting.forEach(this::askNow);
  }
}
