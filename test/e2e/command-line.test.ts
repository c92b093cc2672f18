import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { access, constants } from "node:fs/promises";
import { sentences } from "../support/sentences.js";
import { type ServerProcess, start, startServer } from "../support/server-process.js";

const CLI = "dist/clients/node/cli.js";

describe("npx sentiment", function () {
  this.timeout(30_000);
  let server: ServerProcess;
  before(async () => {
    server = await startServer();
  });
  after(() => server[Symbol.asyncDispose]());

  const sentiment = (args: string, stdin = "") =>
    start(`node dist/clients/node/cli.js ${args}`, { SENTIMENT_ADDRESS: server.address }, stdin)
      .ended;

  it("may be run as npx runs it, after every build", async () => {
    await access(CLI, constants.X_OK);
  });

  it("ends when the server is not there, though its input goes on", async () => {
    const child = spawn(process.execPath, [CLI, "--address", "127.0.0.1:1"]);
    child.stdin.write("fine\n");
    const [code] = await once(child, "exit");
    assert.equal(code, 1);
  });

  it("answers its argument on a line to read", async () => {
    const { code, stdout, stderr } = await sentiment('"I love it" --tier fast');
    assert.match(stdout, /^POSITIVE {2}\+0\.\d{3} {3}\d\d\.\d % {2}I love it\n$/);
    assert.deepEqual({ code, stderr }, { code: 0, stderr: "" });
  });

  it("answers lines of standard input in their order, as JSON", async () => {
    const texts = sentences(1200);
    const { code, stdout } = await sentiment("--json --tier fast", `${texts.join("\n")}\n`);
    const answers = stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    assert.deepEqual(
      answers.map(({ text }) => text),
      texts,
    );
    assert.ok(
      answers.every(({ tier, label }) => tier === "fast" && /^(NEG|NEUTRAL|POS)/.test(label)),
    );
    assert.equal(code, 0);
  });

  it("answers the neighbours of a line that is refused, and ends with 1", async () => {
    const { code, stdout, stderr } = await sentiment("--tier fast", "good\n\nbad");
    assert.match(stdout, /^.*good\nERROR {5}TEXT_EMPTY: .*\n.*bad\n$/);
    assert.match(stderr, /1 texts? .*refused/);
    assert.equal(code, 1);
    const json = await sentiment("--json", "\n");
    assert.equal(JSON.parse(json.stdout).error.reason, "TEXT_EMPTY");
  });

  it("ends quietly when its reader goes away", async () => {
    const command = `node dist/clients/node/cli.js --tier fast | head -n 1`;
    const texts = sentences(2000).join("\n");
    const { ended } = start(command, { SENTIMENT_ADDRESS: server.address }, texts);
    const { stdout, stderr } = await ended;
    assert.equal(stdout.trim().split("\n").length, 1);
    assert.equal(stderr, "");
  });

  it("tells what is wrong with its arguments, and how to use it", async () => {
    const { code, stderr } = await sentiment("--tier best fine");
    assert.match(stderr, /--tier best is unknown: use fast, balanced/);
    assert.equal(code, 2);
    const unknown = await sentiment("--colour fine");
    assert.equal(unknown.code, 2);
    const help = await sentiment("--help");
    assert.match(help.stdout, /--tier fast\|balanced/);
    assert.equal(help.code, 0);
  });

  it("says that no server is there, with its address", async () => {
    const { code, stderr } = await sentiment("--address 127.0.0.1:1 fine");
    assert.match(stderr, /127\.0\.0\.1:1/);
    assert.doesNotMatch(stderr, /\n\s+at /);
    assert.equal(code, 1);
  });
});
