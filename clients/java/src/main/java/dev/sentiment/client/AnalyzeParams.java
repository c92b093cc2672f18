package dev.sentiment.client;

import static java.util.Objects.requireNonNull;

import dev.sentiment.v1.AnalyzeBatchRequest;
import dev.sentiment.v1.AnalyzeOptions;
import dev.sentiment.v1.AnalyzeRequest;
import dev.sentiment.v1.AnalyzeStreamRequest;
import dev.sentiment.v1.Tier;
import java.time.Duration;
import java.util.List;

/**
 * What to ask of texts.
 *
 * @param tier which model; TIER_UNSPECIFIED is the server's default
 * @param deadline of each call; null: the client's
 */
public record AnalyzeParams(Tier tier, AnalyzeOptions options, Duration deadline) {
  public static final AnalyzeParams DEFAULT =
      new AnalyzeParams(Tier.TIER_UNSPECIFIED, AnalyzeOptions.getDefaultInstance(), null);

  public AnalyzeParams {
    requireNonNull(tier);
    requireNonNull(options);
  }

  public AnalyzeParams withTier(Tier tier) {
    return new AnalyzeParams(tier, options, deadline);
  }

  public AnalyzeParams withOptions(AnalyzeOptions options) {
    return new AnalyzeParams(tier, options, deadline);
  }

  public AnalyzeParams withDeadline(Duration deadline) {
    return new AnalyzeParams(tier, options, deadline);
  }

  AnalyzeRequest request(String text) {
    return AnalyzeRequest.newBuilder().setText(text).setTier(tier).setOptions(options).build();
  }

  AnalyzeBatchRequest request(List<String> texts) {
    return AnalyzeBatchRequest.newBuilder()
        .addAllTexts(texts)
        .setTier(tier)
        .setOptions(options)
        .build();
  }

  AnalyzeStreamRequest request(String id, String text) {
    return AnalyzeStreamRequest.newBuilder()
        .setId(id)
        .setText(text)
        .setTier(tier)
        .setOptions(options)
        .build();
  }
}
