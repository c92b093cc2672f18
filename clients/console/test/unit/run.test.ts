import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import type { AskBatch } from "../../src/api/ask-texts.ts";
import { AskError } from "../../src/api/errors.ts";
import { CsvReader } from "../../src/file/csv-reader.ts";
import { type Progress, type RunOptions, runFile } from "../../src/file/run.ts";
import { never, pacing } from "../support/clock.ts";
import { resultOf } from "../support/sentiments.ts";

const FORMAT = { encoding: "utf-8", delimiter: ",", hasHeader: true, hasMark: false } as const;
const OPTIONS: RunOptions = {
  format: FORMAT,
  columns: ["id", "text"],
  column: 1,
  batchSize: 2,
  concurrency: 3,
  protect: true,
};

/** Answers after some turns, the later calls sooner. */
const shuffled: AskBatch = async (texts) => {
  for (let turns = texts.length * 3; turns > 0; turns--) await turn();
  return texts.map(resultOf);
};

interface Run {
  readonly content: string;
  readonly options?: Partial<RunOptions>;
  readonly ask?: AskBatch;
  readonly signal?: AbortSignal;
}

async function run({ content, options = {}, ask = shuffled, signal = never }: Run) {
  const told: Progress[] = [];
  const all = { ...OPTIONS, ...options };
  const ended = await runFile(
    new Blob([content]),
    all,
    ask,
    pacing().pace,
    (progress) => told.push(progress),
    signal,
  );
  const reader = new CsvReader(all.format.delimiter || ",");
  const bytes = Buffer.from(await ended.result.arrayBuffer());
  const text = await ended.result.text();
  return { ...ended, told, bytes, text, rows: [...reader.push(text), ...reader.end()] };
}

const numbered = (count: number) =>
  `id,text\n${Array.from({ length: count }, (_, at) => `${at},text ${at}\n`).join("")}`;

describe("a file's result", () => {
  it("has its rows in their order, with what became of each text behind them", async () => {
    const { rows, progress, error } = await run({
      content: 'id,text\n1,"good, or not"\n2,\n3,fine',
    });
    assert.equal(error, undefined);
    assert.deepEqual(rows, [
      [
        "id",
        "text",
        "sentiment_label",
        "sentiment_score",
        "sentiment_confidence",
        "sentiment_negative",
        "sentiment_neutral",
        "sentiment_positive",
        "sentiment_tier",
        "sentiment_error",
      ],
      ["1", "good, or not", "positive", "0.9", "0.9", "0.05", "0.05", "0.9", "fast", ""],
      ["2", "", "", "", "", "", "", "", "", "TEXT_EMPTY"],
      ["3", "fine", "positive", "0.9", "0.9", "0.05", "0.05", "0.9", "fast", ""],
    ]);
    assert.deepEqual([progress.rows, progress.failed, progress.labels.LABEL_POSITIVE], [3, 1, 2]);
  });

  it("keeps the order of many calls under way, of which there are never more than that", async () => {
    let [underWay, most] = [0, 0];
    const { rows, told } = await run({
      content: numbered(101),
      ask: async (texts, signal) => {
        most = Math.max(most, ++underWay);
        const answers = await shuffled(texts, signal);
        underWay--;
        return answers;
      },
    });
    assert.deepEqual(
      rows.slice(1).map(([id]) => Number(id)),
      Array.from({ length: 101 }, (_, at) => at),
    );
    assert.equal(most, 3);
    assert.equal(told.length, 51);
    assert.deepEqual(
      told.map(({ rows: count }) => count),
      told.map((_, at) => Math.min(2 * at + 2, 101)),
    );
    // The file is read at once, its rows are not done at once.
    const bytes = told.map(({ doneBytes }) => doneBytes);
    assert.ok(
      bytes.every((done, at) => at === 0 || done > (bytes[at - 1] ?? 0)),
      bytes.join(),
    );
    assert.equal(bytes.at(-1), numbered(101).length);
  });

  it("has columns of other names where the file has been run before", async () => {
    const { rows } = await run({
      content: "id,sentiment_score\n1,good\n",
      options: { columns: ["id", "sentiment_score"] },
    });
    assert.equal(rows[0]?.[2], "sentiment_label_2");
  });

  it("keeps short and long rows, with the new columns at their place", async () => {
    const { rows } = await run({ content: "id,text\n1\n2,good,more,yet\n" });
    assert.deepEqual([rows[1]?.length, rows[1]?.[9]], [10, "TEXT_EMPTY"]);
    assert.deepEqual([rows[2]?.[2], rows[2]?.slice(10)], ["positive", ["more", "yet"]]);
  });

  it("makes formulas harmless, of the file as of its header", async () => {
    const { text } = await run({
      content: "id,text\n=1+1,@good\n",
      options: { columns: ["=id", "text"] },
    });
    assert.match(text, /^'=id,text,/);
    assert.match(text, /\n'=1\+1,'@good,/);
    const asIs = await run({ content: "id,text\n=1+1,@good\n", options: { protect: false } });
    assert.match(asIs.text, /\n=1\+1,@good,/);
  });

  it("keeps the delimiter, and the byte order mark", async () => {
    const format = { ...FORMAT, delimiter: ";", hasMark: true };
    const { bytes, text } = await run({ content: "\ufeffid;text\n1;a,b\n", options: { format } });
    assert.equal(bytes.subarray(0, 5).toString("latin1"), "\xef\xbb\xbfid");
    assert.match(text, /\n1;a,b;positive;/);
  });

  it("of a file with nothing in it has its header alone", async () => {
    for (const content of ["", "id,text\n"]) {
      const { rows, error } = await run({ content });
      assert.deepEqual([rows.length, error], [1, undefined]);
    }
  });
});

describe("a run that ends early", () => {
  it("keeps what was answered before it was cancelled, without gaps", async () => {
    const stop = new AbortController();
    let calls = 0;
    const { rows, error, progress } = await run({
      content: numbered(100),
      signal: stop.signal,
      ask: async (texts, signal) => {
        if (++calls === 10) stop.abort();
        signal.throwIfAborted();
        return texts.map(resultOf);
      },
    });
    assert.equal((error as Error).name, "AbortError");
    assert.ok(progress.rows > 0 && progress.rows < 100, String(progress.rows));
    assert.deepEqual(
      rows.slice(1).map(([id]) => Number(id)),
      Array.from({ length: progress.rows }, (_, at) => at),
    );
    const before = calls;
    await turn();
    assert.equal(calls, before);
  });

  it("tells why, and ends the calls under way", async () => {
    const aborted: boolean[] = [];
    const { rows, error } = await run({
      content: numbered(100),
      ask: async (texts, signal) => {
        if (texts[0] === "text 4") throw new AskError("no such key", "KEY_UNKNOWN");
        signal.addEventListener("abort", () => aborted.push(true));
        if (Number(texts[0]?.slice(5)) > 4) return new Promise(() => {});
        return texts.map(resultOf);
      },
    });
    assert.equal((error as AskError).reason, "KEY_UNKNOWN");
    assert.deepEqual(
      rows.slice(1).map(([id]) => id),
      ["0", "1", "2", "3"],
    );
    assert.ok(aborted.length > 2);
  });
});

describe("one call", () => {
  it("has no more text than a message may", async () => {
    const sizes: number[] = [];
    const long = "word ".repeat(50_000);
    const content = `id,text\n${`1,${long}\n`.repeat(5)}2,short\n`;
    const { error } = await run({
      content,
      options: { batchSize: 100 },
      ask: async (texts) => {
        sizes.push(texts.reduce((sum, text) => sum + text.length, 0));
        return texts.map(resultOf);
      },
    });
    assert.equal(error, undefined);
    assert.deepEqual(sizes, [500_000, 500_000, 250_005]);
  });
});
