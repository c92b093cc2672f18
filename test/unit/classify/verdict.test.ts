import assert from "node:assert/strict";
import {
  isMixed,
  labelOf,
  merged,
  probabilitiesOf,
  scoreOf,
} from "../../../server/classify/verdict.js";
import type { Probabilities } from "../../../server/core/tiers.js";

const EPSILON = 1e-12;
function assertNear(actual: readonly number[], expected: readonly number[]): void {
  assert.equal(actual.length, expected.length);
  for (const [place, value] of expected.entries()) {
    const near = Math.abs((actual[place] ?? Number.NaN) - value) < EPSILON;
    assert.ok(near, `${actual} is not ${expected}`);
  }
}

describe("probabilitiesOf", () => {
  it("is the softmax of the logits", () => {
    const logits = [Math.log(1), Math.log(2), Math.log(5)];
    assertNear(probabilitiesOf(logits, 1), [0.125, 0.25, 0.625]);
  });

  it("divides the logits by the temperature first", () => {
    const logits = [2 * Math.log(1), 2 * Math.log(2), 2 * Math.log(5)];
    assertNear(probabilitiesOf(logits, 2), [0.125, 0.25, 0.625]);
    const [, , cool] = probabilitiesOf([0, 1, 2], 0.5);
    const [, , plain] = probabilitiesOf([0, 1, 2], 1);
    const [, , warm] = probabilitiesOf([0, 1, 2], 4);
    assert.ok(cool > plain && plain > warm && warm > 1 / 3);
  });

  it("reads logits of 32 bits as they come from the model", () => {
    assertNear(probabilitiesOf(Float32Array.of(3, 3, 3), 1), [1 / 3, 1 / 3, 1 / 3]);
  });

  it("stays finite for huge logits of either sign", () => {
    assertNear(probabilitiesOf([1e30, 0, -1e30], 1), [1, 0, 0]);
    assertNear(probabilitiesOf([-1e30, -1e30, -1e30], 1), [1 / 3, 1 / 3, 1 / 3]);
    assertNear(probabilitiesOf([800, 800 + Math.log(2), 800 + Math.log(5)], 1), [
      1 / 8,
      1 / 4,
      5 / 8,
    ]);
  });

  it("adds up to 1", () => {
    for (const logits of [
      [0.1, 0.2, 0.3],
      [-7, 3, 12],
      [1e-8, 0, -1e-8],
    ]) {
      const sum = probabilitiesOf(logits, 1.3).reduce((one, other) => one + other);
      assert.ok(Math.abs(sum - 1) < EPSILON);
    }
  });

  const broken: readonly (readonly [what: string, logits: readonly number[]])[] = [
    ["not a number", [0, Number.NaN, 1]],
    ["infinite", [0, Number.POSITIVE_INFINITY, 1]],
    ["all infinitely small", Array<number>(3).fill(Number.NEGATIVE_INFINITY)],
    ["only two", [0, 1]],
    ["none", []],
  ];
  for (const [what, logits] of broken) {
    it(`throws for logits that are ${what}`, () => {
      assert.throws(() => probabilitiesOf(logits, 1), {
        message: "the model gave logits that are not three finite numbers",
      });
    });
  }
});

describe("merged", () => {
  const negative: Probabilities = [1, 0, 0];
  const positive: Probabilities = [0, 0.25, 0.75];

  it("leaves a single window as it is", () => {
    assert.deepEqual(merged([{ probabilities: positive, tokens: 7 }]), positive);
  });

  it("counts each window by its tokens", () => {
    const windows = [
      { probabilities: negative, tokens: 1 },
      { probabilities: positive, tokens: 3 },
    ];
    assertNear(merged(windows), [0.25, 0.1875, 0.5625]);
    assertNear(merged(windows.toReversed()), [0.25, 0.1875, 0.5625]);
  });

  it("is the plain mean of windows of one length", () => {
    const windows = [negative, positive].map((probabilities) => ({ probabilities, tokens: 126 }));
    assertNear(merged(windows), [0.5, 0.125, 0.375]);
  });
});

describe("labelOf", () => {
  it("is the most probable label, with its probability", () => {
    assert.deepEqual(labelOf([0.7, 0.2, 0.1]), { label: "negative", confidence: 0.7 });
    assert.deepEqual(labelOf([0.2, 0.7, 0.1]), { label: "neutral", confidence: 0.7 });
    assert.deepEqual(labelOf([0.1, 0.2, 0.7]), { label: "positive", confidence: 0.7 });
  });

  it("is the first in the order of the labels where two are equal", () => {
    assert.deepEqual(labelOf([0.4, 0.4, 0.2]), { label: "negative", confidence: 0.4 });
    assert.deepEqual(labelOf([0.4, 0.2, 0.4]), { label: "negative", confidence: 0.4 });
    assert.deepEqual(labelOf([0.2, 0.4, 0.4]), { label: "neutral", confidence: 0.4 });
    assert.equal(labelOf(probabilitiesOf([5, 5, 5], 1)).label, "negative");
  });
});

describe("scoreOf", () => {
  it("goes from -1 to 1", () => {
    assert.equal(scoreOf([1, 0, 0]), -1);
    assert.equal(scoreOf([0, 1, 0]), 0);
    assert.equal(scoreOf([0, 0, 1]), 1);
    assert.equal(scoreOf([0.25, 0.25, 0.5]), 0.25);
  });
});

describe("isMixed", () => {
  const cases: readonly (readonly [what: string, mixed: boolean, scores: readonly number[]])[] = [
    ["strong sentences of both kinds", true, [0.9, -0.9]],
    ["strong sentences of both kinds among others", true, [0, -0.7, 0.1, -0.2, 0.8, 0.9]],
    ["sentences of exactly half a score up and down", true, [-0.5, 0.5]],
    ["a good sentence under the half", false, [0.4999, -0.5]],
    ["a bad sentence under the half", false, [0.5, -0.4999]],
    ["good sentences alone", false, [0.9, 0.5, 0]],
    ["bad sentences alone", false, [-0.9, -0.5, 0]],
    ["one sentence", false, [1]],
    ["no sentence", false, []],
  ];
  for (const [what, mixed, scores] of cases) {
    it(`is ${mixed} for ${what}`, () => {
      assert.equal(isMixed(scores.map((score) => ({ score }))), mixed);
    });
  }
});
