import assert from "node:assert/strict";
import { type Ask, Traffic } from "../../../benchmarks/soak/traffic.js";
import { seeded } from "../../../benchmarks/texts.js";
import { Tier } from "../../../server/gen/sentiment/v1/sentiment.js";

const CALLS = 20_000;
const drawn = (seed: number): Ask[] => {
  const traffic = new Traffic(seeded(seed));
  return Array.from({ length: CALLS }, () => traffic.next());
};

describe("Traffic of the soak", () => {
  it("is the same again with the same seed", () => {
    assert.deepEqual(drawn(1), drawn(1));
    assert.notDeepEqual(drawn(1), drawn(2));
  });

  it("has calls of every kind and tier, about as often as it should", () => {
    const asks = drawn(3);
    const share = (is: (ask: Ask) => boolean) => asks.filter(is).length / CALLS;
    for (const [kind, wanted] of [
      ["unary", 0.8],
      ["stream", 0.09],
      ["batch", 0.05],
      ["bad", 0.03],
      ["left", 0.03],
    ] as const)
      assert.ok(Math.abs(share((ask) => ask.kind === kind) - wanted) < 0.01, kind);
    const tiers = new Set(asks.map(({ tier }) => tier));
    assert.equal(tiers.size, 4);
    assert.ok(!tiers.has(Tier.TIER_BALANCED), "the default tier is asked for by naming none");
  });

  it("repeats most texts, the first ones most, and has some that are new", () => {
    const texts = drawn(4).flatMap((ask) => (ask.kind === "stream" ? [ask.text] : []));
    const counts = new Map<string, number>();
    for (const text of texts) counts.set(text, (counts.get(text) ?? 0) + 1);
    const fresh = texts.filter((text) => text.startsWith("Visit"));
    assert.equal(new Set(fresh).size, fresh.length, "a new one came twice");
    assert.ok(fresh.length > 0.15 * texts.length && fresh.length < 0.25 * texts.length);
    const top = [...counts.values()].toSorted((one, other) => other - one);
    assert.ok((top[0] ?? 0) > 0.03 * texts.length, `${top[0]} of ${texts.length}`);
  });
});
