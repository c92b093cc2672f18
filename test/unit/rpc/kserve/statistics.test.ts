import assert from "node:assert/strict";
import { ModelStatistics } from "../../../../server/gen/inference/grpc_service.js";
import { createStatistics } from "../../../../server/rpc/kserve/statistics.js";

const verdict = (tokenizeMs: number, queueMs: number, inferenceMs: number, batchRows: number) => ({
  timings: { tokenizeMs, queueMs, inferenceMs, batchRows, paddingRatio: 0 },
});
const NOTHING = { count: 0, ns: 0 };

describe("statistics of a model", () => {
  it("begin with nothing", () => {
    const message = createStatistics(() => 77).message("sentiment_fast", "1");
    assert.equal(message.name, "sentiment_fast");
    assert.equal(message.version, "1");
    assert.equal(message.lastInference, 0);
    assert.equal(message.inferenceCount, 0);
    assert.equal(message.executionCount, 0);
    assert.deepEqual(message.inferenceStats?.success, NOTHING);
  });

  it("count calls, texts and batches, and where the time went", () => {
    const statistics = createStatistics(() => 1_700_000_000_000);
    // The second text was ready last: 5 + 2 ms after all were tokenized.
    statistics.succeeded(
      [verdict(1, 0, 4, 1), verdict(0.5, 5, 2, 2), verdict(0.25, 5, 2, 2)],
      10,
      0.125,
    );
    statistics.succeeded([verdict(1, 1, 1, 1)], 4, 0.125);
    statistics.failed(3);
    const message = statistics.message("sentiment_fast", "1");
    assert.equal(message.lastInference, 1_700_000_000_000);
    assert.equal(message.inferenceCount, 4);
    assert.equal(message.executionCount, 3);
    assert.deepEqual(message.inferenceStats, {
      success: { count: 2, ns: 14_000_000 },
      fail: { count: 1, ns: 3_000_000 },
      queue: { count: 2, ns: 6_000_000 },
      computeInput: { count: 2, ns: 2_750_000 },
      computeInfer: { count: 2, ns: 3_000_000 },
      computeOutput: { count: 2, ns: 250_000 },
      cacheHit: undefined,
      cacheMiss: undefined,
    });
  });

  it("count a batch that was shared with other calls once for all of them", () => {
    const statistics = createStatistics();
    const executions = () => statistics.message("", "").executionCount;
    for (let call = 0; call < 10; call++) {
      statistics.succeeded([verdict(0, 0, 1, 10)], 1, 0);
      assert.equal(executions(), 1);
    }
    statistics.succeeded([verdict(0, 0, 1, 10)], 1, 0);
    assert.equal(executions(), 2);
  });

  it("leave out of the batches what no batch was needed for", () => {
    const statistics = createStatistics();
    statistics.succeeded([verdict(0, 0, 0, 0)], 1, 0);
    assert.equal(statistics.message("", "").executionCount, 0);
  });

  it("go over the wire as whole numbers, and after years too", () => {
    const statistics = createStatistics(() => 1);
    statistics.succeeded([verdict(0.1, 0.2, 0.3, 3)], 0.7, 0.01);
    const message = statistics.message("sentiment_fast", "1");
    assert.deepEqual(
      ModelStatistics.decode(ModelStatistics.encode(message).finish()).inferenceStats?.success,
      { count: 1, ns: 700_000 },
    );
    statistics.succeeded([verdict(0, 0, 0, 1)], 1e12, 0);
    assert.ok(ModelStatistics.encode(statistics.message("", "")).finish().length > 0);
  });
});
