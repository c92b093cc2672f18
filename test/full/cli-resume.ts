/** A CSV of 100,000 records through the command line, killed twice in its midst, at places by chance, and gone on with each time. */
import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parse } from "csv-parse/sync";
import { brokenRun, runCommandLine, sizeOf } from "../support/broken-runs.js";
import { reviewsCsv } from "../support/reviews.js";
import { scratchFolder } from "../support/scratch-folder.js";
import { startServer } from "../support/server-process.js";

const RECORDS = 100_000;
/** The others are answered from memory. */
const DISTINCT = 5000;

describe("npx sentiment with a large file", function () {
  this.timeout(900_000);

  it(`writes ${RECORDS} records once and in order, though it is killed and gone on with`, async () => {
    await using left = new AsyncDisposableStack();
    const server = left.use(await startServer({ PREFETCH_MODELS: "false", DEFAULT_TIER: "fast" }));
    const folder = left.use(await scratchFolder());
    const at = (name: string) => join(folder.path, name);
    await writeFile(at("reviews.csv"), reviewsCsv(RECORDS, DISTINCT));
    const argumentsFor = (output: string, ...more: readonly string[]) => [
      ...["--input", at("reviews.csv"), "--column", "review", "--output", at(output)],
      ...["--address", server.address, ...more],
    ];
    const run = await runCommandLine(argumentsFor("whole.csv"));
    assert.equal(run.code, 1, run.stderr);
    const whole = await readFile(at("whole.csv"), "utf8");
    const [, ...records]: string[][] = parse(whole);
    assert.equal(records.length, RECORDS);
    assert.ok(records.every(([id], place) => id === String(place)));

    const shares = [0.05 + 0.4 * Math.random(), 0.5 + 0.4 * Math.random()];
    for (const share of shares) {
      const args = argumentsFor("broken.csv", "--resume");
      await brokenRun(args, at("broken.csv"), whole.length * share, "SIGKILL");
      assert.ok((await sizeOf(at("broken.csv"))) < whole.length, `shares ${shares}`);
    }
    const last = await runCommandLine(argumentsFor("broken.csv", "--resume"));
    assert.equal(last.code, 1, last.stderr);
    assert.ok((await readFile(at("broken.csv"), "utf8")) === whole, `shares ${shares}`);
    process.stdout.write(`    killed at ${shares.map((share) => share.toFixed(3)).join(", ")}\n`);
  });
});
