import assert from "node:assert/strict";
import { parseArguments } from "../../../../clients/node/command/arguments.js";
import { UsageError } from "../../../../clients/node/command/faults.js";
import { float32 } from "../../../../clients/node/command/output.js";

const parsed = (line: string) => parseArguments(line.split(" ").filter(Boolean), {});
const formatOf = (line: string) => {
  const { format, delimiter, json } = parsed(line).files;
  return [format, delimiter, json];
};

describe("the command line's arguments", () => {
  it("tell the format by the input's name", () => {
    for (const [line, format, delimiter, json] of [
      ["", "text", ",", false],
      ["--json", "text", ",", true],
      ["--input a.csv", "csv", ",", false],
      ["--input A.CSV.GZ", "csv", ",", false],
      ["--input a.tsv", "csv", "\t", false],
      ["--input a.tsv --delimiter ;", "csv", ";", false],
      ["--input a.jsonl --output b.jsonl", "jsonl", ",", true],
      ["--input a.ndjson", "jsonl", ",", false],
      ["--input a.txt", "text", ",", false],
      ["--input a.txt --output b.jsonl", "text", ",", true],
      ["--input a.dat --format csv --delimiter \\t", "csv", "\t", false],
    ] as const)
      assert.deepEqual(formatOf(line), [format, delimiter, json], line);
  });

  it("say what the server is like", () => {
    const { connection, giveUpMs, address } = parsed("--tls-ca ca.pem --give-up 1.5 fine");
    assert.deepEqual(connection.tls, { caFile: "ca.pem", certFile: undefined, keyFile: undefined });
    assert.deepEqual([giveUpMs, address], [1500, undefined]);
    assert.equal(parsed("fine").connection.tls, undefined);
    assert.equal(parsed("--tls fine").connection.tls, true);
  });

  it("are refused where they do not fit", () => {
    for (const [line, fault] of [
      ["--input a.csv fine", /--input is for files: leave it out, or the texts/],
      ["--input a", /--format of a cannot be told by its name/],
      ["--input a.csv --format xml", /--format xml is unknown: use csv, jsonl or text/],
      ["--input a.csv --output b.jsonl", /--output b.jsonl would be csv, as the input is/],
      ["--output b.csv", /--output b.csv would be text/],
      ["--input a.csv --resume", /--resume needs --output/],
      ["--input a.csv --force", /--force needs --output/],
      ["--input a.csv --output b.csv --force --resume", /--resume goes on, --force begins anew/],
      ["--input a.txt --column b", /--column is not for the format text/],
      ["--input a.jsonl --delimiter ;", /--delimiter is not for the format jsonl/],
      ["--input a.csv --json", /--json is not for the format csv/],
      ['--input a.csv --delimiter "', /--delimiter " must be one character, and no quote/],
      ["--input a.csv --delimiter ;;", /--delimiter ;; must be one character/],
      ["--input a.csv --prefix=", /--prefix must not be empty/],
      ["--give-up soon fine", /--give-up soon must be a number of seconds/],
      ["--tls-cert a.pem fine", /--tls-cert and --tls-key go together/],
    ] as const)
      assert.throws(
        () => parsed(line),
        (error: Error) => error instanceof UsageError && fault.test(error.message),
        line,
      );
  });
});

describe("a number of 32 bits", () => {
  it("is written with as few digits as say the same", () => {
    for (const written of [0, 1, -1, 0.1, 0.9318339, -0.5, 0.33333334, 1e-7, 0.123456789, 3e-39]) {
      const exact = Math.fround(written);
      assert.equal(Math.fround(float32(exact)), exact);
      assert.ok(String(float32(exact)).length <= String(exact).length);
    }
    assert.equal(String(float32(Math.fround(0.9318339))), "0.9318339");
  });
});
