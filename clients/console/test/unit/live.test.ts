import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { LiveCounts } from "../../src/api/messages.ts";
import { Traffic } from "../../src/api/traffic.ts";
import { exactQuantile, histogramQuantile } from "../../src/live/quantile.ts";
import { ownSample, serverSample } from "../../src/live/sample.ts";

describe("quantiles", () => {
  it("of values", () => {
    assert.equal(exactQuantile([], 0.5), undefined);
    assert.equal(exactQuantile([7], 0.95), 7);
    assert.equal(exactQuantile([4, 1, 3, 2], 0.5), 2);
    assert.equal(
      exactQuantile(
        Array.from({ length: 100 }, (_, at) => at + 1),
        0.95,
      ),
      95,
    );
  });

  it("of a histogram, as Prometheus takes them", () => {
    const bounds = [1, 2, 5];
    assert.equal(histogramQuantile(bounds, [0, 0, 0], 0, 0.5), undefined);
    assert.equal(histogramQuantile(bounds, [10, 10, 10], 10, 0.5), 0.5);
    assert.equal(histogramQuantile(bounds, [2, 6, 10], 10, 0.5), 1.75);
    assert.equal(histogramQuantile(bounds, [0, 0, 5], 10, 0.95), 5);
  });
});

describe("the live view", () => {
  it("counts what this page was answered, once", () => {
    const traffic = new Traffic();
    traffic.answered({ texts: 1, hits: 0, tookMs: 10, batchRows: 4 });
    traffic.answered({ texts: 32, hits: 8, tookMs: 50, batchRows: 0 });
    const sample = ownSample(traffic.take(), 2);
    assert.deepEqual(sample, {
      texts: 16.5,
      p50Ms: 10,
      p95Ms: 50,
      hitRate: 8 / 33,
      batchRows: 4,
      waiting: undefined,
    });
    assert.deepEqual(traffic.take(), []);
  });

  it("says nothing of what did not happen", () => {
    const nothing = {
      texts: 0,
      p50Ms: undefined,
      p95Ms: undefined,
      hitRate: undefined,
      batchRows: undefined,
      waiting: undefined,
    };
    assert.deepEqual(ownSample([], 2), nothing);
  });

  const before: LiveCounts = {
    atMs: 1000,
    answered: 100,
    failed: 0,
    latency: { leSeconds: [0.01, 0.1], counts: [50, 60], count: 60 },
    lookups: 100,
    hits: 20,
    batches: 10,
    rows: 80,
    waiting: 3,
  };
  const later: LiveCounts = {
    atMs: 3000,
    answered: 140,
    failed: 1,
    latency: { leSeconds: [0.01, 0.1], counts: [58, 70], count: 70 },
    lookups: 140,
    hits: 50,
    batches: 12,
    rows: 96,
    waiting: 0,
  };

  it("takes the server's rates between two looks", () => {
    const sample = serverSample(before, later);
    assert.deepEqual(
      { ...sample, p95Ms: Math.round(sample?.p95Ms ?? 0) },
      {
        texts: 20,
        p50Ms: 6.25,
        p95Ms: 78,
        hitRate: 0.75,
        batchRows: 8,
        waiting: 0,
      },
    );
  });

  it("leaves out two looks between which the server has begun anew", () => {
    assert.equal(serverSample(later, { ...before, atMs: 5000 }), undefined);
    assert.equal(serverSample(before, before), undefined);
  });
});
