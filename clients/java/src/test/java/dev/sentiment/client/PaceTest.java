package dev.sentiment.client;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.grpc.Status.Code;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

class PaceTest {
  private final AtomicLong clock = new AtomicLong(-7);
  private final Pace pace = new Pace(100, clock::get);

  private static SentimentException error(Code code, Duration retryAfter) {
    return SentimentException.of(ScriptedServer.error(code, "SOME", retryAfter));
  }

  private void refuse(long seconds) {
    pace.refused(error(Code.RESOURCE_EXHAUSTED, Duration.ofSeconds(seconds)));
  }

  private void lose() {
    pace.refused(error(Code.UNAVAILABLE, null));
  }

  private void assertRests(double fromSeconds, double toSeconds) {
    double seconds = pace.restNanos() / 1e9;
    assertTrue(seconds >= fromSeconds && seconds <= toSeconds, () -> seconds + " s");
  }

  private void rest() {
    clock.addAndGet(pace.restNanos());
  }

  @Test
  void doesNotRestAtFirst() {
    assertTrue(pace.restNanos() <= 0);
  }

  @Test
  void restsAsLongAsTheServerSaysAndAFifthMoreAtMost() {
    refuse(100);
    assertRests(100, 120);
    // Sent before, and wants less.
    refuse(10);
    assertRests(100, 120);
    refuse(200);
    assertRests(200, 240);
  }

  @Test
  void doublesItsOwnRests() {
    lose();
    assertRests(0.1, 0.12);
    rest();
    lose();
    assertRests(0.2, 0.24);
    // During a rest: says nothing new.
    lose();
    assertRests(0.2, 0.24);
    rest();
    pace.answered();
    lose();
    assertRests(0.1, 0.12);
  }

  @Test
  void outlivesAnyDuration() {
    refuse(Long.MAX_VALUE / 1000);
    assertRests(24 * 3600, 24 * 3600 * 1.2);
  }

  @Test
  void halvesWhatIsUnderWayWhenTheServerIsOverloadedAndLetsItGrowAgain() {
    assertEquals(100, pace.texts());
    refuse(0);
    assertEquals(50, pace.texts());
    for (int i = 0; i < 51; i++) pace.answered();
    assertEquals(51, pace.texts());
    for (int i = 0; i < 10_000; i++) pace.answered();
    assertEquals(100, pace.texts());
    for (int i = 0; i < 20; i++) refuse(0);
    assertEquals(1, pace.texts());
  }

  @Test
  void halvesOnceForWhatIsRefusedTogether() {
    refuse(100);
    refuse(100);
    assertEquals(50, pace.texts());
  }

  @Test
  void halvesNothingForAServerThatIsAway() {
    lose();
    assertEquals(100, pace.texts());
  }
}
