import assert from "node:assert/strict";
import { readFile, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { gzipSync } from "node:zlib";
import { parse } from "csv-parse/sync";
import { brokenRun, runCommandLine, sizeOf } from "../support/broken-runs.js";
import { certificates } from "../support/certificates.js";
import { freePorts } from "../support/ports.js";
import { emptyAmong, reviewsCsv } from "../support/reviews.js";
import { type ScratchFolder, scratchFolder } from "../support/scratch-folder.js";
import { type ServerProcess, start, startServer } from "../support/server-process.js";

const RECORDS = 2000;

describe("npx sentiment with files", function () {
  this.timeout(60_000);
  let server: ServerProcess;
  let folder: ScratchFolder;
  let input: string;
  let port: number;
  const at = (name: string) => join(folder.path, name);
  const csvArguments = (output: string, ...more: readonly string[]) => [
    ...["--input", input, "--column", "review", "--output", at(output)],
    ...["--tier", "fast", "--address", server.address, ...more],
  ];
  const startAtPort = () =>
    startServer({
      GRPC_PORT: String(port),
      PREFETCH_MODELS: "false",
      DEFAULT_TIER: "fast",
      // A run that is answered from memory is through before it can be broken off.
      ENABLE_CACHING: "false",
    });
  before(async () => {
    [port = 0] = await freePorts(1);
    server = await startAtPort();
    folder = await scratchFolder();
    input = at("reviews.csv");
    await writeFile(input, reviewsCsv(RECORDS));
  });
  after(async () => {
    await server[Symbol.asyncDispose]();
    await folder[Symbol.asyncDispose]();
  });

  it("adds columns to a CSV, and tells how many texts were refused", async () => {
    const { code, stdout, stderr } = await runCommandLine(csvArguments("whole.csv"));
    assert.deepEqual([code, stdout], [1, ""]);
    assert.equal(stderr, `sentiment: ${emptyAmong(RECORDS)} texts were refused\n`);
    const before: string[][] = parse(await readFile(input));
    const after: string[][] = parse(await readFile(at("whole.csv")));
    assert.deepEqual(
      after.map((record) => record.slice(0, 3)),
      before,
    );
    const [header, ...records] = after.map((record) => record.slice(1));
    assert.deepEqual(header?.slice(2), [
      "sentiment_label",
      "sentiment_score",
      "sentiment_confidence",
      "sentiment_error",
    ]);
    for (const [review, , label = "", score, confidence, error] of records)
      if (review === "")
        assert.deepEqual([label, score, confidence, error], ["", "", "", "TEXT_EMPTY"]);
      else {
        assert.match(label, /^(NEGATIVE|NEUTRAL|POSITIVE)$/);
        assert.ok(Math.abs(Number(score)) <= 1 && Number(confidence) > 1 / 3);
        assert.equal(error, "");
      }
  });

  it("goes on with --resume where it was killed or interrupted, every record once and in order", async () => {
    const whole = await readFile(at("whole.csv"), "utf8");
    const output = at("broken.csv");
    const shares = [0.1 + 0.2 * Math.random(), 0.4 + 0.15 * Math.random()];
    const args = csvArguments("broken.csv", "--resume");
    for (const share of shares) {
      await brokenRun(args, output, whole.length * share, "SIGKILL");
      assert.ok((await sizeOf(output)) < whole.length, `shares ${shares}`);
      // As if it had been killed in the middle of a block, and so of a record.
      await truncate(output, (await sizeOf(output)) - 7);
    }
    const some = (await sizeOf(output)) + whole.length / 20;
    const interrupted = await brokenRun(args, output, some, "SIGINT");
    assert.equal(interrupted.code, 130);
    const records =
      /interrupted\nsentiment: (\d+) records are in .*broken\.csv: the same command with --resume goes on\n$/;
    const count = Number(records.exec(interrupted.stderr)?.[1]);
    const begun = await readFile(output, "utf8");
    assert.ok(whole.startsWith(begun), `shares ${shares}`);
    assert.equal(parse(begun).length, count + 1);
    const { code } = await runCommandLine(args);
    assert.equal(code, 1);
    assert.equal(await readFile(output, "utf8"), whole, `shares ${shares}`);
    const again = await runCommandLine(args);
    assert.deepEqual([again.code, again.stderr], [0, ""]);
    assert.equal(await readFile(output, "utf8"), whole);
  });

  it("begins anew with --resume where nothing whole is there", async () => {
    await writeFile(at("few.csv"), reviewsCsv(3));
    const args = ["--input", at("few.csv"), "--column", "review", "--address", server.address];
    const { stdout: whole } = await runCommandLine(args);
    const header = whole.slice(0, whole.indexOf("\n") + 1);
    assert.equal(parse(whole).length, 4);
    for (const begin of ["", header.slice(0, 7), header]) {
      await writeFile(at("begun.csv"), begin);
      await runCommandLine([...args, "--output", at("begun.csv"), "--resume"]);
      assert.equal(await readFile(at("begun.csv"), "utf8"), whole, begin);
    }
  });

  it("does not touch an output that is there, or is not of this command", async () => {
    const whole = await readFile(at("whole.csv"), "utf8");
    const refusalOf = async (...args: Parameters<typeof csvArguments>) => {
      const { code, stderr } = await runCommandLine(csvArguments(...args));
      assert.equal(code, 2, stderr);
      assert.doesNotMatch(stderr, /--resume goes on\n|\n\s+at /);
      return stderr;
    };
    assert.match(
      await refusalOf("whole.csv"),
      /whole\.csv exists: --resume goes on with it, --force/,
    );
    assert.match(await refusalOf("reviews.csv", "--force"), /reviews\.csv is the input/);
    assert.match(await refusalOf("whole.csv", "--resume", "--prefix", "s"), /has other columns/);
    assert.match(await refusalOf("no/such/folder.csv"), /--output cannot be written/);
    assert.equal(await readFile(at("whole.csv"), "utf8"), whole);
    await writeFile(at("longer.csv"), `${whole}${whole.slice(whole.indexOf("\n") + 1)}`);
    assert.match(await refusalOf("longer.csv", "--resume"), /has more records than the input/);
    const other = whole.replace("\n0,", "\n9,");
    await writeFile(at("other.csv"), other.slice(0, other.indexOf("\n1,") + 1));
    assert.match(await refusalOf("other.csv", "--resume"), /its record 1 is another one/);
    await writeFile(at("garbage.csv"), `${whole.slice(0, whole.indexOf("\n") + 1)}"not"CSV\n`);
    assert.match(await refusalOf("garbage.csv", "--resume"), /its record 1 is another one/);
    await writeFile(at("small.csv"), "review\nfine\n");
    const small = ["--input", at("small.csv"), "--column", "review", "--address", server.address];
    await truncate(at("other.csv"), 0);
    const forced = await runCommandLine([...small, "--output", at("other.csv"), "--force"]);
    assert.equal(forced.code, 0, forced.stderr);
    assert.match(await readFile(at("other.csv"), "utf8"), /^review,.*\nfine,POSITIVE,.*\n$/);
  });

  it("keeps JSON lines as they are written, of a compressed file too", async () => {
    const lines = [
      '{"id": 12345678901234567890, "text": "I love it"}',
      '{"text":"I hate it","n":1.0}',
    ];
    await writeFile(at("a.jsonl.gz"), gzipSync(lines.join("\n")));
    const { code, stdout, stderr } = await runCommandLine([
      ...["--input", at("a.jsonl.gz"), "--address", server.address],
    ]);
    assert.deepEqual([code, stderr], [0, ""]);
    const [first = "", second = "", ...rest] = stdout.split("\n");
    assert.ok(first.startsWith('{"id": 12345678901234567890, "text": "I love it","sentiment":{'));
    assert.ok(second.startsWith('{"text":"I hate it","n":1.0,"sentiment":{"label":"NEGATIVE"'));
    assert.deepEqual(rest, [""]);
  });

  it("says what is wrong with an input, keeps what is answered, and goes on once it is mended", async () => {
    const lines = ['{"text":"I love it"}', '{"text":"I hate it"}', "{", '{"text":"fine"}'];
    await writeFile(at("b.jsonl"), lines.join("\n"));
    const args = ["--input", at("b.jsonl"), "--output", at("c.jsonl"), "--address", server.address];
    const broken = await runCommandLine(args);
    assert.equal(broken.code, 1);
    assert.match(
      broken.stderr,
      /b\.jsonl, line 3: this is no JSON object\nsentiment: 2 records are in/,
    );
    await writeFile(at("b.jsonl"), lines.with(2, '{"text":"mended"}').join("\n"));
    const mended = await runCommandLine([...args, "--resume"]);
    assert.deepEqual([mended.code, mended.stderr], [0, ""]);
    const texts = (await readFile(at("c.jsonl"), "utf8")).trimEnd().split("\n");
    assert.deepEqual(
      texts.map((line) => JSON.parse(line).text),
      ["I love it", "I hate it", "mended", "fine"],
    );
    const none = await runCommandLine(["--input", at("none.csv"), "--address", server.address]);
    assert.equal(none.code, 2);
    assert.match(none.stderr, /--input cannot be read \(ENOENT/);
  });

  it("asks by TLS, with a certificate of its own", async () => {
    await using made = await certificates();
    const ca = await made.make("ca");
    const [served, own] = [
      await made.make("served", { by: ca }),
      await made.make("own", { by: ca }),
    ];
    await using secured = await startServer({
      PREFETCH_MODELS: "false",
      DEFAULT_TIER: "fast",
      TLS_CERT: served.cert,
      TLS_KEY: served.key,
      TLS_CLIENT_CA: ca.cert,
    });
    const tls = ["--tls-ca", ca.cert, "--tls-cert", own.cert, "--tls-key", own.key];
    const { code, stdout } = await runCommandLine(["--address", secured.address, ...tls, "fine"]);
    assert.equal(code, 0);
    assert.match(stdout, /fine\n$/);
    const wrong = await runCommandLine(["--tls-ca", "no/such.pem", "fine"]);
    assert.equal(wrong.code, 2);
    assert.match(wrong.stderr, /the server cannot be asked \(ENOENT.*no\/such\.pem/);
  });

  it("shows how far it is where a person looks on", async () => {
    const command = `${process.execPath} dist/clients/node/cli.js ${csvArguments("seen.csv").join(" ")}`;
    const { stdout } = await start(`script -qec '${command}' /dev/null`).ended;
    assert.match(stdout, /=+-* \d+ % \| \d+ texts, \d+\/s \| /);
    assert.match(stdout, /100 % \| 2000 texts/);
  });

  it("waits for a server that is restarted, and says how to go on when it has given up", async () => {
    const whole = await readFile(at("whole.csv"), "utf8");
    const output = at("waited.csv");
    const run = await runCommandLine(csvArguments("waited.csv"), async (_, isOver) => {
      while ((await sizeOf(output)) < whole.length / 4) {
        assert.ok(!isOver(), "it was through too soon");
        await sleep(2);
      }
      server.child.kill("SIGKILL");
      await server.ended;
      await sleep(500);
      server = await startAtPort();
    });
    assert.equal(run.code, 1, run.stderr);
    assert.equal(await readFile(output, "utf8"), whole);
    const args = csvArguments("given-up.csv", "--give-up", "1");
    const givenUp = await runCommandLine(args, async (_, isOver) => {
      while ((await sizeOf(at("given-up.csv"))) < whole.length / 4) {
        assert.ok(!isOver(), "it was through too soon");
        await sleep(2);
      }
      server.child.kill("SIGKILL");
      await server.ended;
    });
    assert.equal(givenUp.code, 1);
    assert.match(
      givenUp.stderr,
      /^sentiment: no answer within 1 s; the last failure: .*\nsentiment: \d+ records are in .*given-up\.csv: the same command with --resume goes on\n$/,
    );
    server = await startAtPort();
    await runCommandLine([...args, "--resume"]);
    assert.equal(await readFile(at("given-up.csv"), "utf8"), whole);
  });
});
