import assert from "node:assert/strict";
import { createRegistry } from "../../../server/observe/metrics.js";
import { modelMetrics } from "../../../server/observe/model-metrics.js";

describe("the metrics of models", () => {
  const measured = () => {
    const registry = createRegistry();
    const lines = async () =>
      (await registry.metrics()).split("\n").filter((line) => !line.startsWith("#"));
    return { of: modelMetrics(registry), lines };
  };
  const has = (lines: readonly string[], expected: readonly string[]) => {
    for (const line of expected)
      assert.ok(lines.includes(line), `${line} is not in\n${lines.join("\n")}`);
  };

  it("tell of batches and of the rows in them, in seconds", async () => {
    const { of, lines } = measured();
    of("fast").ran({ rows: 3, paddingRatio: 0.12, inferenceMs: 15 });
    of("fast").waited(4);
    of("fast").waited(40);
    has(await lines(), [
      'sentiment_model_inference_seconds_sum{model="fast"} 0.015',
      'sentiment_model_inference_seconds_bucket{le="0.01",model="fast"} 0',
      'sentiment_model_inference_seconds_bucket{le="0.02",model="fast"} 1',
      'sentiment_queue_seconds_count{model="fast"} 2',
      'sentiment_queue_seconds_bucket{le="0.005",model="fast"} 1',
      'sentiment_batch_rows_sum{model="fast"} 3',
      'sentiment_padding_ratio_bucket{le="0.15",model="fast"} 1',
    ]);
  });

  it("tell of texts: their tokens, what of them is unknown, and what is not read", async () => {
    const { of, lines } = measured();
    of("fast").read({ tokenizeMs: 0.3, tokenCount: 20, analyzedTokenCount: 20, unknownTokens: 0 });
    has(await lines(), [
      'sentiment_unknown_tokens_total{model="fast"} 0',
      'sentiment_truncated_total{model="fast"} 0',
    ]);
    of("fast").read({ tokenizeMs: 2, tokenCount: 300, analyzedTokenCount: 126, unknownTokens: 2 });
    has(await lines(), [
      "sentiment_tokenize_seconds_count 2",
      'sentiment_tokenize_seconds_bucket{le="0.0005"} 1',
      'sentiment_text_tokens_bucket{le="32",model="fast"} 1',
      'sentiment_text_tokens_sum{model="fast"} 320',
      'sentiment_tokens_total{model="fast"} 146',
      'sentiment_unknown_tokens_total{model="fast"} 2',
      'sentiment_truncated_total{model="fast"} 1',
    ]);
  });
});
