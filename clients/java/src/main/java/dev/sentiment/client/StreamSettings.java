package dev.sentiment.client;

import static java.util.Objects.requireNonNull;

import java.time.Duration;

/**
 * How {@link SentimentClient#analyzeStream} asks.
 *
 * @param maxUnderWay texts at most that were read and whose outcomes were not yet taken
 * @param giveUpAfter time without any answer while texts are asked
 */
public record StreamSettings(int maxUnderWay, Duration giveUpAfter) {
  public static final StreamSettings DEFAULT = new StreamSettings(256, Duration.ofSeconds(60));

  public StreamSettings {
    if (maxUnderWay < 1) throw new IllegalArgumentException("maxUnderWay must be 1 or more");
    requireNonNull(giveUpAfter);
  }

  public StreamSettings withMaxUnderWay(int maxUnderWay) {
    return new StreamSettings(maxUnderWay, giveUpAfter);
  }

  public StreamSettings withGiveUpAfter(Duration giveUpAfter) {
    return new StreamSettings(maxUnderWay, giveUpAfter);
  }
}
