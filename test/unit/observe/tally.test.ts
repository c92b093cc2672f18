import assert from "node:assert/strict";
import { Registry } from "prom-client";
import { tallyingCounter } from "../../../server/observe/tally.js";

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
