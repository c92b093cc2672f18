import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Warming, type WarmText } from "../../server/classify/warming.js";
import { loadConfig } from "../../server/config.js";
import { ServiceError, StartupError } from "../../server/core/errors.js";
import { createLog, type Log } from "../../server/observe/log.js";
import { readWarmUp, startWarmUp } from "../../server/warm-up.js";
import { FakeClock } from "../support/fake-clock.js";
import { turn } from "../support/recorder.js";
import { numbered } from "./cache/cached.js";

/** A log, and its lines less what every line has. */
function notedLog(): readonly [log: Log, lines: Record<string, unknown>[]] {
  const lines: Record<string, unknown>[] = [];
  const write = (line: string) => {
    const { level, time: _, pid: __, hostname: ___, err, ...rest } = JSON.parse(line);
    lines.push({ level, ...rest, ...(err && { err: err.message }) });
  };
  return [createLog("info", { write }), lines];
}

describe("the warm-up file", () => {
  let folder: string;
  let log: Log;
  let lines: readonly Record<string, unknown>[];
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "sentiment-warm-up-"));
    [log, lines] = notedLog();
  });
  afterEach(() => rm(folder, { recursive: true }));
  const file = () => join(folder, "warm-up.txt");
  const read = (env: Readonly<Record<string, string>> = {}) =>
    readWarmUp(loadConfig({ MODEL_REPOSITORY: folder, ...env }), log);
  const textsOf = async (
    bytes: string | Uint8Array,
    env: Readonly<Record<string, string>> = {},
  ) => {
    await writeFile(file(), bytes);
    return read(env);
  };

  it("has one text a line, blank lines left out", async () => {
    assert.deepEqual(await textsOf("one\n\n  \ntwo words \nthree"), ["one", "two words ", "three"]);
    assert.deepEqual(await textsOf(""), []);
  });

  it("may come from an editor that marks UTF-8 and ends lines by two characters", async () => {
    assert.deepEqual(await textsOf("\ufeffone\r\n\r\nzwei \u00e4\r\n"), ["one", "zwei \u00e4"]);
  });

  it("is the one in the repository unless another is named; both may hold nothing", async () => {
    await writeFile(join(folder, "other"), "other\n");
    assert.deepEqual(await read(), []);
    await writeFile(file(), "standard\n");
    assert.deepEqual(await read(), ["standard"]);
    assert.deepEqual(await read({ WARM_UP_FILE: join(folder, "other") }), ["other"]);
    assert.deepEqual(await read({ WARM_UP_FILE: "/dev/null" }), []);
  });

  it("stops the start where it is named and missing, or there and no file", async () => {
    const named = { WARM_UP_FILE: join(folder, "missing") };
    const isFault = (error: unknown) =>
      error instanceof StartupError &&
      /^WARM_UP_FILE .* cannot be read .*: name a file/.test(error.message);
    await assert.rejects(read(named), isFault);
    assert.deepEqual(await read({ ...named, ENABLE_CACHING: "false" }), []);
    await mkdir(file());
    await assert.rejects(read(), isFault);
    assert.deepEqual(await read({ ENABLE_CACHING: "false" }), []);
  });

  it("is taken as far as the caches hold it, with a warning", async () => {
    assert.deepEqual(await textsOf("a\nb\n\n", { RESULT_CACHE_SIZE: "2" }), ["a", "b"]);
    assert.deepEqual(lines, []);
    assert.deepEqual(await textsOf("a\nb\nc\nd", { RESULT_CACHE_SIZE: "2" }), ["a", "b"]);
    const [line] = lines;
    assert.deepEqual([lines.length, line?.["level"], line?.["taken"]], [1, "warn", 2]);
  });

  it("is taken up to 64 MiB", async () => {
    const line = `${"x".repeat(1_048_575)}\n`;
    const texts = await textsOf(line.repeat(66), { MAX_INPUT_LENGTH: "1000000" });
    assert.deepEqual([texts.length, lines[0]?.["taken"]], [64, 64]);
  }).timeout(20_000);

  it("gives lines that are no texts to be refused: too long, or not UTF-8", async () => {
    const [long = "", bad = "", good] = await textsOf(
      Buffer.concat([
        Buffer.from(`${"\u00e4".repeat(1000)}\n`),
        Buffer.of(0xff, 0x0a),
        Buffer.from("good"),
      ]),
      { MAX_INPUT_LENGTH: "10" },
    );
    assert.ok([...long].length > 10 && long.length <= 44);
    assert.equal(bad.isWellFormed(), false);
    assert.equal(good, "good");
  });
});

describe("the warm-up", () => {
  let clock: FakeClock;
  let warming: Warming;
  let log: Log;
  let lines: Record<string, unknown>[];
  let ready: boolean;
  let warm: WarmText;
  beforeEach(() => {
    clock = new FakeClock();
    warming = new Warming(() => false, clock);
    [log, lines] = notedLog();
    ready = true;
    warm = async () => "warmed";
  });
  const start = (texts: readonly string[]) =>
    startWarmUp(texts, {
      warming,
      warm: (...args) => warm(...args),
      isReady: () => ready,
      clock,
      log,
    });
  const wait = async (seconds: number) => {
    for (let second = 0; second < seconds; second++) {
      for (let turns = 0; turns < 10; turns++) await turn();
      clock.advance(1000);
    }
    for (let turns = 0; turns < 10; turns++) await turn();
  };

  it("says at its end what it has done", async () => {
    warm = async (text) => (text === "text0" ? "present" : "warmed");
    await using _run = start(numbered("text", 3));
    await wait(0);
    const end = { msg: "the caches are warm", warmed: 2, present: 1, failed: 0, ms: 0 };
    assert.deepEqual(lines, [{ level: "info", ...end }]);
    assert.equal(clock.pending, 0);
  });

  it("says nothing of nothing", async () => {
    await start([])[Symbol.asyncDispose]();
    assert.deepEqual([lines, clock.pending], [[], 0]);
  });

  it("waits for the model, quietly, and loads none", async () => {
    ready = false;
    let asked = 0;
    warm = async () => {
      asked++;
      return "warmed";
    };
    await using _run = start(["one"]);
    await wait(60);
    assert.deepEqual([asked, lines], [0, []]);
    ready = true;
    await wait(2);
    assert.deepEqual([asked, lines[0]?.["warmed"]], [1, 1]);
  });

  it("waits where the backend goes down", async () => {
    warm = () => Promise.reject(new ServiceError("BACKEND_DOWN", "down"));
    await using _run = start(["one"]);
    await wait(5);
    warm = async () => "warmed";
    await wait(2);
    assert.deepEqual([lines.length, lines[0]?.["warmed"]], [1, 1]);
  });

  it("says every ten seconds how far it is, where it has come further", async () => {
    let isOver = false;
    warm = async (text) => (text === "text9" && !isOver ? "later" : "warmed");
    await using _run = start(numbered("text", 10));
    await wait(35);
    const progress = { msg: "warming the caches", warmed: 9, present: 0, failed: 0, of: 10 };
    assert.deepEqual(lines, [{ level: "info", ...progress }]);
    isOver = true;
    await wait(2);
    assert.equal(lines[1]?.["warmed"], 10);
  });

  it("ends with the drain, and says how far it was", async () => {
    const { promise, reject } = Promise.withResolvers<"warmed">();
    warm = (_text, signal) => {
      signal.addEventListener("abort", () => reject(signal.reason));
      return promise;
    };
    const run = start(["one", "two"]);
    await wait(1);
    await run[Symbol.asyncDispose]();
    const [line] = lines;
    assert.deepEqual([line?.["level"], line?.["msg"]], ["info", "warming ended by the drain"]);
    assert.equal(clock.pending, 0);
  });

  it("ends with one line where it fails as a whole", async () => {
    warm = () => Promise.reject(new StartupError("no model"));
    await using _run = start(["one"]);
    await wait(1);
    assert.deepEqual(
      lines.map(({ level, msg, err }) => [level, msg, err]),
      [["error", "warming ended", "no model"]],
    );
  });
});
