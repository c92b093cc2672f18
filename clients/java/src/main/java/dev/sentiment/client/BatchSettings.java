package dev.sentiment.client;

import static java.util.Objects.requireNonNull;

import java.time.Duration;

/**
 * How {@link SentimentClient#analyzeAll} asks.
 *
 * @param batchSize texts of a call at most; the server takes 100 unless set otherwise
 * @param concurrency calls under way at most
 * @param giveUpAfter time without any answer while texts are asked
 */
public record BatchSettings(int batchSize, int concurrency, Duration giveUpAfter) {
  public static final BatchSettings DEFAULT = new BatchSettings(32, 4, Duration.ofSeconds(60));

  public BatchSettings {
    if (batchSize < 1) throw new IllegalArgumentException("batchSize must be 1 or more");
    if (concurrency < 1) throw new IllegalArgumentException("concurrency must be 1 or more");
    requireNonNull(giveUpAfter);
  }

  public BatchSettings withBatchSize(int batchSize) {
    return new BatchSettings(batchSize, concurrency, giveUpAfter);
  }

  public BatchSettings withConcurrency(int concurrency) {
    return new BatchSettings(batchSize, concurrency, giveUpAfter);
  }

  public BatchSettings withGiveUpAfter(Duration giveUpAfter) {
    return new BatchSettings(batchSize, concurrency, giveUpAfter);
  }
}
