import assert from "node:assert/strict";
import { type AskParts, type Explained, explain } from "../../../server/classify/explain.js";
import type { Weighted } from "../../../server/classify/verdict.js";
import { recorder } from "../../support/recorder.js";
import { type Draw, seeded } from "../seeded.js";

const MAX_ROWS = 64;
const EPSILON = 1e-9;

const wordsIn = (text: string): readonly string[] => text.match(/[a-z0-9]+/gi) ?? [];
const numbered = (count: number) => Array.from({ length: count }, (_, n) => `w${n}`);

/** A model whose score of a text is the sum of its words' weights; a word is a token. */
function model(weights: Readonly<Record<string, number>>) {
  const scoreOf = (text: string) =>
    wordsIn(text).reduce((sum, word) => sum + (weights[word] ?? 0), 0);
  const said = (text: string): Weighted => {
    const score = scoreOf(text);
    return {
      probabilities: [(1 - score) / 2, 0, (1 + score) / 2],
      tokens: Math.max(1, wordsIn(text).length),
    };
  };
  const [ask, calls] = recorder<Parameters<AskParts>, ReturnType<AskParts>>(async (parts) =>
    parts.map(said),
  );

  /** The windows one after the other as a text that the model has read. */
  const explained = (windows: readonly string[]): Explained => {
    let end = 0;
    return {
      text: windows.join(""),
      windows: windows.map((window) => {
        const begin = end;
        end += window.length;
        return { begin, end };
      }),
      said: windows.map(said),
    };
  };

  return {
    /** Each word with its weight, and the parts that the model was asked about. */
    async explain(...windows: readonly string[]) {
      const given = explained(windows);
      const found = await explain(given, ask);
      const words = found.map(({ begin, end, weight }) => [given.text.slice(begin, end), weight]);
      return { found: words as [word: string, weight: number][], asked: calls.flat(2) };
    },
    /** The score of the whole text, with the words of a window left out, as the windows' mean by tokens. */
    scoreWithout(windows: readonly string[], left: string) {
      const words = windows.map((window) => wordsIn(window).filter((word) => word !== left));
      const sum = words.reduce((all, some) => all + some.length * scoreOf(some.join(" ")), 0);
      return sum / words.flat().length;
    },
  };
}

function assertNear(actual: number | undefined, expected: number, message?: string): void {
  assert.ok(Math.abs((actual ?? Number.NaN) - expected) < EPSILON, `${message}: ${actual}`);
}

/** Weights of little, and of one word that outweighs all others. */
function oneHeavy(draw: Draw, words: readonly string[]) {
  const heavy = words[draw(0, words.length - 1)] ?? "";
  const small = words.map((word) => [word, draw(-100, 100) / 1e6]);
  return { heavy, weights: { ...Object.fromEntries(small), [heavy]: draw(0, 1) ? 0.6 : -0.6 } };
}

const heaviestOf = (found: readonly (readonly [word: string, weight: number])[]) =>
  found.reduce((one, other) => (Math.abs(other[1]) > Math.abs(one[1]) ? other : one));

/** The words as a text, cut into windows of that many words. */
const inWindows = (words: readonly string[], most: number): readonly string[] =>
  Array.from({ length: Math.ceil(words.length / most) }, (_, place) =>
    words
      .slice(place * most, (place + 1) * most)
      .map((word) => `${word} `)
      .join(""),
  );

describe("explain", () => {
  it("weighs each word by the score without it", async () => {
    const { found, asked } = await model({ good: 0.5, very: 0.25, but: -0.125 }).explain(
      "Very, very good; but so dear!".toLowerCase(),
    );
    assert.deepEqual(found, [
      ["very", 0.25],
      ["very", 0.25],
      ["good", 0.5],
      ["but", -0.125],
      ["so", 0],
      ["dear", 0],
    ]);
    assert.deepEqual(asked, [
      ", very good; but so dear!",
      "very,  good; but so dear!",
      "very, very ; but so dear!",
      "very, very good;  so dear!",
      "very, very good; but  dear!",
      "very, very good; but so !",
    ]);
  });

  it("weighs the only word of a text by what is left", async () => {
    const { found, asked } = await model({ good: 0.75 }).explain("good!");
    assert.deepEqual(found, [["good", 0.75]]);
    assert.deepEqual(asked, ["!"]);
  });

  for (const text of ["!!! :-(", " ", ""]) {
    it(`finds nothing to weigh in ${JSON.stringify(text)}, and asks for nothing`, async () => {
      assert.deepEqual(await model({}).explain(text), { found: [], asked: [] });
    });
  }

  it("weighs each of up to 64 words exactly, one row a word", async () => {
    const draw = seeded(64);
    for (let count = 1; count <= MAX_ROWS; count++) {
      const words = numbered(count);
      const weights = Object.fromEntries(words.map((word) => [word, draw(-1000, 1000) / 1e5]));
      const { found, asked } = await model(weights).explain(words.join(" "));
      assert.equal(asked.length, count);
      assert.deepEqual(
        found.map(([word]) => word),
        words,
      );
      for (const [word, weight] of found) assertNear(weight, weights[word] ?? Number.NaN, word);
    }
  });

  describe("a text of several windows", () => {
    const weights = { good: 0.5, fine: 0.25, bad: -0.75, dull: -0.5 };
    const windows = ["so good. ", "fine, bad ", "and dull"];

    it("has a word's own window read again, and no other", async () => {
      const { asked } = await model(weights).explain(...windows);
      assert.deepEqual(asked, [" good. ", "so . ", ", bad ", "fine,  ", " dull", "and "]);
    });

    it("has each word weighed by the score of all windows", async () => {
      const said = model(weights);
      const { found } = await said.explain(...windows);
      assert.deepEqual(
        found.map(([word]) => word),
        ["so", "good", "fine", "bad", "and", "dull"],
      );
      for (const [word, weight] of found) {
        const expected = said.scoreWithout(windows, "") - said.scoreWithout(windows, word);
        assertNear(weight, expected, word);
      }
    });

    it("has the words of a window without any left out", async () => {
      const { found, asked } = await model(weights).explain("good ", "... ", "bad");
      assert.deepEqual(
        found.map(([word]) => word),
        ["good", "bad"],
      );
      assert.deepEqual(asked, [" ", ""]);
    });
  });

  describe("a text of over 64 words", () => {
    const counts = [65, 66, 100, 126, 127, 200, 500, 512, 513, 800, 1024, 1025, 1500, 2000];

    for (const [what, most] of [
      ["in windows as the models read them", 126],
      ["in short windows", 10],
      ["in one window", 2000],
    ] as const) {
      it(`has its heaviest word found with 64 rows at most (${what})`, async () => {
        const draw = seeded(most);
        for (const count of [...counts, ...counts.map(() => draw(65, 2000))]) {
          const words = numbered(count);
          const { heavy, weights } = oneHeavy(draw, words);
          const { found, asked } = await model(weights).explain(...inWindows(words, most));
          assert.ok(asked.length <= MAX_ROWS, `${asked.length} rows for ${count} words`);
          assert.deepEqual(
            found.map(([word]) => word),
            words,
          );
          const [heaviest, weight] = heaviestOf(found);
          assert.equal(heaviest, heavy, `of ${count} words`);
          assert.equal(Math.sign(weight), Math.sign(weights[heavy] ?? 0));
        }
      });
    }

    it("has its heaviest words weighed exactly, and all add up to the score (one window)", async () => {
      const draw = seeded(3);
      for (const count of counts.filter((one) => one <= 512)) {
        const words = numbered(count);
        const { heavy, weights } = oneHeavy(draw, words);
        const said = model(weights);
        const { found } = await said.explain(words.join(" "));
        assertNear(heaviestOf(found)[1], weights[heavy] ?? Number.NaN, heavy);
        const sum = found.reduce((all, [, weight]) => all + weight, 0);
        assertNear(sum, said.scoreWithout([words.join(" ")], ""), `sum of ${count} words`);
      }
    });

    it("has words that matter little share the weight of their group", async () => {
      // 16 groups of 8 words: eight of them hold a heavy word, more than there are rows for; the last one a light word.
      const heavy = Array.from({ length: 8 }, (_, group) => `w${8 * group}`);
      const weights = { ...Object.fromEntries(heavy.map((word) => [word, 0.1])), w127: 0.01 };
      const { found } = await model(weights).explain(numbered(128).join(" "));
      const groups = Array.from({ length: 16 }, (_, group) =>
        found.slice(8 * group, 8 * group + 8).map(([, weight]) => Number(weight.toFixed(9))),
      );
      const [apart, shared] = [[0.1, ...Array(7).fill(0)], Array(8).fill(0.0125)];
      const takenApart = groups.filter((group) => String(group) === String(apart));
      assert.ok(takenApart.length >= 4 && takenApart.length < 8, String(groups));
      for (const group of groups.slice(0, 8)) {
        assert.deepEqual(group, takenApart.includes(group) ? apart : shared);
      }
      assert.deepEqual(groups[15], Array(8).fill(0.00125));
    });

    it("has several heavy words found in several windows", async () => {
      const words = numbered(378);
      const weights = { w5: 0.5, w200: -0.5 };
      const { found } = await model(weights).explain(...inWindows(words, 126));
      const heaviest = found.toSorted((one, other) => Math.abs(other[1]) - Math.abs(one[1]));
      assert.deepEqual(
        new Set(heaviest.slice(0, 2).map(([word]) => word)),
        new Set(["w5", "w200"]),
      );
    });

    it("is asked about no part twice", async () => {
      const draw = seeded(4);
      for (const most of [10, 16, 17, 40, 126]) {
        const words = numbered(130);
        const { weights } = oneHeavy(draw, words);
        const { asked } = await model(weights).explain(...inWindows(words, most));
        assert.equal(new Set(asked).size, asked.length, `windows of ${most} words`);
      }
    });
  });

  it("fails with the model", async () => {
    const down = new Error("the model is down");
    const given: Explained = {
      text: "good",
      windows: [{ begin: 0, end: 4 }],
      said: [{ probabilities: [0, 0, 1], tokens: 1 }],
    };
    await assert.rejects(
      explain(given, () => Promise.reject(down)),
      down,
    );
  });
});
