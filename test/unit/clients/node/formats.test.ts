import assert from "node:assert/strict";
import { csvFormat } from "../../../../clients/node/command/csv.js";
import type { FileArguments } from "../../../../clients/node/command/file-arguments.js";
import type { Format } from "../../../../clients/node/command/format.js";
import { jsonLinesFormat } from "../../../../clients/node/command/json-lines.js";
import { textFormat } from "../../../../clients/node/command/text.js";
import { SentimentError } from "../../../../clients/node/errors.js";
import type { Outcome } from "../../../../clients/node/sentiment.js";

const WANTED: FileArguments = {
  input: undefined,
  output: undefined,
  format: "csv",
  column: "text",
  delimiter: ",",
  prefix: "sentiment",
  json: false,
  resume: false,
  force: false,
};
const outcomeOf = (text: string): Outcome =>
  text === ""
    ? {
        index: 0,
        text,
        error: new SentimentError("INVALID_ARGUMENT", "no", { reason: "TEXT_EMPTY" }),
      }
    : {
        index: 0,
        text,
        sentiment: {
          label: "positive",
          score: Math.fround(0.9318339),
          confidence: Math.fround(0.95),
          probabilities: { negative: 0, neutral: Math.fround(0.05), positive: Math.fround(0.95) },
          tier: "fast",
          model: "m",
          modelVersion: "1",
          cache: "none",
          tokenCount: 2,
          analyzedTokenCount: 2,
          sentences: [],
          attributions: [],
          mixed: false,
        },
      };
const ADDED = "POSITIVE,0.9318339,0.95,";

/** What goes out for what comes in, one byte at a time, so that every character and line is cut somewhere. */
async function converted(format: Format, input: string | Buffer): Promise<string> {
  async function* bytes() {
    for (const byte of Buffer.from(input)) yield Uint8Array.of(byte);
  }
  const chunks = { name: "in", bytes: bytes(), size: 0, read: () => 0 };
  const { head, rows } = await format.open(chunks);
  let output = head;
  for await (const row of rows) {
    const record = row.encode(outcomeOf(row.text));
    assert.ok(row.wrote(record), record);
    assert.ok(!row.wrote("else\n"), record);
    output += record;
  }
  return output;
}

const csv = (input: string | Buffer, wanted: Partial<FileArguments> = {}) =>
  converted(csvFormat({ ...WANTED, ...wanted }), input);
const jsonl = (input: string | Buffer, wanted: Partial<FileArguments> = {}) =>
  converted(jsonLinesFormat({ ...WANTED, ...wanted }), input);
const HEADER = "sentiment_label,sentiment_score,sentiment_confidence,sentiment_error";

describe("the command line's CSV", () => {
  it("has its columns behind those that are there", async () => {
    assert.equal(
      await csv("id,text\n007,fine\n2,\n"),
      `id,text,${HEADER}\n007,fine,${ADDED}\n2,,,,,TEXT_EMPTY\n`,
    );
    assert.equal(
      await csv("text;n\r\nété;1", { delimiter: ";", prefix: "s" }),
      `text;n;s_label;s_score;s_confidence;s_error\nété;1;${ADDED.replaceAll(",", ";")}\n`,
    );
  });

  it("keeps quotes, commas, ends of lines, blanks and a byte order mark", async () => {
    const record = '"a ""quoted"", text\nof two\r\nor three lines", b ,"c\r"';
    assert.equal(
      await csv(`\uFEFFtext,b,"c, d"\r\n${record}\r\n\r\n${record}`),
      `\uFEFFtext,b,"c, d",${HEADER}\n${`${record},${ADDED}\n`.repeat(2)}`,
    );
  });

  it("of one column has an empty text on an empty line", async () => {
    assert.equal(await csv("text\n\nfine\n"), `text,${HEADER}\n,,,,TEXT_EMPTY\nfine,${ADDED}\n`);
  });

  it("names what is wrong with it, and where", async () => {
    for (const [input, fault] of [
      ["", /^in is empty/],
      ["a,b\n1,2\n", /^in has no column "text": choose by --column from "a", "b"$/],
      ["text,text\n1,2\n", /^in has two columns "text"/],
      ["text,sentiment_score\n1,2\n", /^in has a column "sentiment_score" already: .* --prefix/],
      ["a,text\n1,2\n3\n", /^in, line 3: 1 fields where the header has 2$/],
      ['text\nfine\n5" disk\n', /^in: Invalid Opening Quote.* line 3/],
      ['text\n"open\n', /^in: Quote Not Closed/],
    ] as const)
      await assert.rejects(csv(input), { message: fault });
    await assert.rejects(csv(Buffer.from("text\n\xe9t\xe9\n", "latin1")), /^.*in is not UTF-8/);
  });
});

describe("the command line's JSON lines", () => {
  const added = (record: string) => JSON.parse(record).sentiment;

  it("keep all that is written, and have one field more", async () => {
    const line = '{ "id": 12345678901234567890.10, "text":"fine",  "a":[1e400, "\\u00e9\u2028"] }';
    const output = await jsonl(`\uFEFF${line}\r\n\n  \n${line}`);
    const [first = "", second, rest] = output.split("\n");
    assert.ok(first.startsWith(`${line.slice(0, -2)},"sentiment":{`), first);
    assert.deepEqual([second, rest], [first, ""]);
    assert.deepEqual(added(first), {
      label: "POSITIVE",
      score: 0.9318339,
      confidence: 0.95,
      probabilities: { negative: 0, neutral: 0.05, positive: 0.95 },
      tier: "fast",
      model: "m",
      modelVersion: "1",
      tokenCount: 2,
      analyzedTokenCount: 2,
    });
  });

  it("without a text have an error", async () => {
    for (const line of ["{}", "{ }", '{"text":null}', '{"text":""}']) {
      const record = await jsonl(line);
      assert.deepEqual(added(record), { error: { reason: "TEXT_EMPTY", message: "no" } });
    }
  });

  it("name what is wrong with them, and where", async () => {
    for (const [input, fault] of [
      ['{"text":"a"}\n{"text":', /^in, line 2: this is no JSON object$/],
      ["[]", /^in, line 1: this is no JSON object$/],
      ['\n"text"', /^in, line 2: this is no JSON object$/],
      ['{"text":7}', /^in, line 1: the field "text" is no text/],
      ['{"text":"a","sentiment":1}', /^in, line 1: there is a field "sentiment" already/],
    ] as const)
      await assert.rejects(jsonl(input), { message: fault });
    assert.match(
      await jsonl('{"review":"a","sentiment":1}', { column: "review", prefix: "s" }),
      /,"s":/,
    );
    await assert.rejects(jsonl(Buffer.from('{"text":"\xe9"}', "latin1")), /is not UTF-8/);
  });
});

describe("the command line's text", () => {
  it("is a text a line, to read or as JSON", async () => {
    const lines = await converted(textFormat(false), "\uFEFFfine\r\n\né\rè\u2028");
    assert.equal(
      lines,
      [
        "POSITIVE  +0.932   95.0 %  fine\n",
        "ERROR     TEXT_EMPTY: no\n",
        "POSITIVE  +0.932   95.0 %  é\rè\u2028\n",
      ].join(""),
    );
    const [first = "", ...rest] = (await converted(textFormat(true), "fine\n")).split("\n");
    assert.equal(JSON.parse(first).text, "fine");
    assert.deepEqual(rest, [""]);
    assert.equal(await converted(textFormat(true), ""), "");
  });
});
