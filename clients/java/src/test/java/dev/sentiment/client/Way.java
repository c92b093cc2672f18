package dev.sentiment.client;

import java.time.Duration;
import java.util.stream.Stream;

/** The two ways to ask many texts. */
enum Way {
  BATCH,
  STREAM;

  Stream<Outcome> ask(SentimentClient client, Iterable<String> texts) {
    return this == BATCH ? client.analyzeAll(texts) : client.analyzeStream(texts);
  }

  Stream<Outcome> ask(SentimentClient client, Iterable<String> texts, AnalyzeParams params) {
    return this == BATCH
        ? client.analyzeAll(texts, params, BatchSettings.DEFAULT)
        : client.analyzeStream(texts, params, StreamSettings.DEFAULT);
  }

  Stream<Outcome> ask(SentimentClient client, Iterable<String> texts, Duration giveUpAfter) {
    AnalyzeParams params = AnalyzeParams.DEFAULT;
    return this == BATCH
        ? client.analyzeAll(texts, params, BatchSettings.DEFAULT.withGiveUpAfter(giveUpAfter))
        : client.analyzeStream(texts, params, StreamSettings.DEFAULT.withGiveUpAfter(giveUpAfter));
  }
}
