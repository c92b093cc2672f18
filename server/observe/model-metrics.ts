import type { Registry } from "prom-client";
import type { BatchEvents } from "../batch/events.js";
import type { ReadingEvents } from "../classify/events.js";
import { remembered } from "../core/remembered.js";
import { tallyingCounter, tallyingHistogram } from "./tally.js";

/** What the texts and batches of a model tell, by its name. */
export type ModelMetrics = (model: string) => Omit<ReadingEvents & BatchEvents, "shed">;

/** Adds the metrics of models' texts and batches. */
export function modelMetrics(registry: Registry): ModelMetrics {
  const [batches, readings] = [batchMetrics(registry), readingMetrics(registry)];
  return remembered((model: string) => ({ ...batches(model), ...readings(model) }));
}

/** Makes counters and histograms with the label `model`. */
const makers = (registry: Registry) => ({
  counter: (name: string, help: string) =>
    tallyingCounter({ name, help, labelNames: ["model"], registers: [registry] }),
  histogram: (name: string, help: string, buckets: number[]) =>
    tallyingHistogram({ name, help, labelNames: ["model"], buckets, registers: [registry] }),
});

function batchMetrics(registry: Registry) {
  const { histogram } = makers(registry);
  const inference = histogram(
    "sentiment_model_inference_seconds",
    "How long the model ran for a batch, in seconds",
    [0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10],
  );
  const queue = histogram(
    "sentiment_queue_seconds",
    "How long a row waited from its submission to its answer, less the time of the model, in seconds",
    [0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30],
  );
  const rows = histogram(
    "sentiment_batch_rows",
    "Rows of a batch that was run",
    [1, 2, 4, 8, 16, 32, 64, 128],
  );
  const padding = histogram(
    "sentiment_padding_ratio",
    "Share of a batch that was padding, 0 to 1",
    [0, 0.01, 0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.5, 0.75, 1],
  );
  return (model: string): Omit<BatchEvents, "shed"> => {
    const [ran, waited] = [inference.labels({ model }), queue.labels({ model })];
    const [rowsOf, paddingOf] = [rows.labels({ model }), padding.labels({ model })];
    return {
      ran(batch) {
        ran.observe(batch.inferenceMs / 1000);
        rowsOf.observe(batch.rows);
        paddingOf.observe(batch.paddingRatio);
      },
      waited: (queueMs) => waited.observe(queueMs / 1000),
    };
  };
}

function readingMetrics(registry: Registry) {
  const { counter, histogram } = makers(registry);
  const tokenize = tallyingHistogram({
    name: "sentiment_tokenize_seconds",
    help: "How long it took to read a text as tokens, in seconds",
    buckets: [
      0.00001, 0.00002, 0.00005, 0.0001, 0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1,
      0.5, 1,
    ],
    registers: [registry],
  }).labels({});
  const lengths = histogram(
    "sentiment_text_tokens",
    "Tokens of a text that was read for a model, special tokens left out",
    [4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096],
  );
  const tokens = counter(
    "sentiment_tokens_total",
    "Tokens of texts that were read for a model, as far as the model reads them",
  );
  const unknown = counter(
    "sentiment_unknown_tokens_total",
    "Those of sentiment_tokens_total that the model's vocabulary has no word for",
  );
  const truncated = counter(
    "sentiment_truncated_total",
    "Texts of which the model reads only the beginning",
  );
  return (model: string): Omit<ReadingEvents, "shed"> => {
    const length = lengths.labels({ model });
    const [all, unknownOf] = [tokens.labels({ model }), unknown.labels({ model })];
    const cut = truncated.labels({ model });
    return {
      read({ tokenizeMs, tokenCount, analyzedTokenCount, unknownTokens }) {
        tokenize.observe(tokenizeMs / 1000);
        length.observe(tokenCount);
        all.inc(analyzedTokenCount);
        if (unknownTokens > 0) unknownOf.inc(unknownTokens);
        if (analyzedTokenCount < tokenCount) cut.inc();
      },
    };
  };
}
