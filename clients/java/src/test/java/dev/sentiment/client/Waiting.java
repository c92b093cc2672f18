package dev.sentiment.client;

import static org.junit.jupiter.api.Assertions.fail;

import java.util.function.BooleanSupplier;

final class Waiting {
  private static final long LIMIT_NANOS = 30_000_000_000L;

  private Waiting() {}

  static void pause(long millis) {
    try {
      Thread.sleep(millis);
    } catch (InterruptedException error) {
      throw new IllegalStateException(error);
    }
  }

  static void until(BooleanSupplier condition, String what) {
    long startedAtNanos = System.nanoTime();
    while (!condition.getAsBoolean()) {
      if (System.nanoTime() - startedAtNanos > LIMIT_NANOS) fail("not so: " + what);
      pause(5);
    }
  }
}
