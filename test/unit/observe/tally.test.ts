import assert from "node:assert/strict";
import { Registry } from "prom-client";
import { tallyingCounter, tallyingHistogram } from "../../../server/observe/tally.js";

describe("A counter that tallies", () => {
  const make = () => {
    const registry = new Registry();
    const counter = tallyingCounter({
      name: "calls_total",
      help: "Calls",
      labelNames: ["code"],
      registers: [registry],
    });
    const lines = async () => (await registry.metrics()).match(/^calls_total.*$/gm);
    return { counter, lines };
  };

  it("has what was counted by the time that it is read, each set of labels by itself", async () => {
    const { counter, lines } = make();
    const [ok, lost] = [counter.labels({ code: "OK" }), counter.labels({ code: "UNKNOWN" })];
    ok.inc();
    ok.inc(2);
    lost.inc();
    assert.deepEqual(await lines(), ['calls_total{code="OK"} 3', 'calls_total{code="UNKNOWN"} 1']);
    ok.inc();
    assert.deepEqual(await lines(), ['calls_total{code="OK"} 4', 'calls_total{code="UNKNOWN"} 1']);
  });

  it("counts nothing twice, however often it is read", async () => {
    const { counter, lines } = make();
    counter.labels({ code: "OK" }).inc();
    await lines();
    assert.deepEqual(await lines(), ['calls_total{code="OK"} 1']);
  });

  it("begins at 0, so that the first count is an increase", async () => {
    const { counter, lines } = make();
    counter.labels({ code: "OK" });
    assert.deepEqual(await lines(), ['calls_total{code="OK"} 0']);
  });
});

describe("A histogram that tallies", () => {
  const make = () => {
    const registry = new Registry();
    const histogram = tallyingHistogram({
      name: "took",
      help: "Took",
      labelNames: ["method"],
      buckets: [1, 10],
      registers: [registry],
    });
    const lines = async () => [...((await registry.metrics()).match(/^took.*$/gm) ?? [])];
    return { histogram, lines };
  };

  it("has all values by the time that it is read, each set of labels by itself, and none twice", async () => {
    const { histogram, lines } = make();
    const [one, other] = [histogram.labels({ method: "a" }), histogram.labels({ method: "b" })];
    for (let value = 1; value <= 1000; value++) one.observe(value);
    other.observe(5);
    const all = [
      'took_bucket{le="1",method="a"} 1',
      'took_bucket{le="10",method="a"} 10',
      'took_bucket{le="+Inf",method="a"} 1000',
      'took_sum{method="a"} 500500',
      'took_count{method="a"} 1000',
      'took_bucket{le="1",method="b"} 0',
      'took_bucket{le="10",method="b"} 1',
      'took_bucket{le="+Inf",method="b"} 1',
      'took_sum{method="b"} 5',
      'took_count{method="b"} 1',
    ];
    assert.deepEqual(await lines(), all);
    assert.deepEqual(await lines(), all);
    other.observe(0.5);
    assert.ok((await lines()).includes('took_sum{method="b"} 5.5'));
  });

  it("has no series of labels that nothing was observed for", async () => {
    const { histogram, lines } = make();
    histogram.labels({ method: "a" });
    assert.deepEqual(await lines(), []);
  });
});
