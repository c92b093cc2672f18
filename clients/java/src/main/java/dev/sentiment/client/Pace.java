package dev.sentiment.client;

import io.grpc.Status.Code;
import java.time.Duration;
import java.util.concurrent.ThreadLocalRandom;
import java.util.function.LongSupplier;

/**
 * When the server may be asked again after it has refused, and how many texts at once: half as many
 * when it is overloaded, one more each time that so many were answered, as TCP does.
 */
final class Pace {
  private static final double FIRST_REST_SECONDS = 0.1;
  private static final double LONGEST_BACKOFF_SECONDS = 5;
  private static final double LONGEST_REST_SECONDS = 24 * 60 * 60;

  /** Clients that were refused together must not come back together. */
  private static final double JITTER = 0.2;

  private final int most;
  private final LongSupplier nanoTime;
  private double texts;
  private int refusals;
  private long resumesAtNanos;

  Pace(int most, LongSupplier nanoTime) {
    this.most = most;
    this.texts = most;
    this.nanoTime = nanoTime;
    this.resumesAtNanos = nanoTime.getAsLong();
  }

  /** At most so many are under way. */
  int texts() {
    return (int) texts;
  }

  /** Until then nothing is asked; not over zero: now. */
  long restNanos() {
    return resumesAtNanos - nanoTime.getAsLong();
  }

  void answered() {
    refusals = 0;
    texts = Math.min(most, texts + 1 / texts);
  }

  /** What is refused during a rest was sent before it, and says nothing new but how long. */
  void refused(SentimentException error) {
    long restNanos = restNanos();
    if (restNanos <= 0) {
      refusals++;
      if (error.code() == Code.RESOURCE_EXHAUSTED) texts = Math.max(1, texts / 2);
    }
    double backoff = Math.scalb(FIRST_REST_SECONDS, Math.min(Math.max(refusals - 1, 0), 10));
    double seconds =
        error.retryAfter().map(Pace::seconds).orElse(Math.min(backoff, LONGEST_BACKOFF_SECONDS));
    double jittered = seconds * (1 + JITTER * ThreadLocalRandom.current().nextDouble());
    long wantedNanos = (long) (jittered * 1e9);
    if (wantedNanos > restNanos) resumesAtNanos = nanoTime.getAsLong() + wantedNanos;
  }

  private static double seconds(Duration duration) {
    double seconds = duration.getSeconds() + duration.getNano() / 1e9;
    return Math.min(Math.max(seconds, 0), LONGEST_REST_SECONDS);
  }
}
