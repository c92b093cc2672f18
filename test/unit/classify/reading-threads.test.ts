import assert from "node:assert/strict";
import { cp, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { MessagePort, type Worker } from "node:worker_threads";
import { roomOf } from "../../../server/classify/model.js";
import { type Question, read, windowsToRead } from "../../../server/classify/reading.js";
import { ReadingThreads } from "../../../server/classify/reading-threads.js";
import type { LongText } from "../../../server/classify/windows.js";
import { unasked } from "../../../server/core/call.js";
import { ServiceError } from "../../../server/core/errors.js";
import { loadTokenizer, type Tokenizer } from "../../../server/tokenize/tokenizer.js";
import { HOSTILE } from "../../fuzz/texts.js";
import { FakeClock } from "../../support/fake-clock.js";
import { until } from "../../support/held-backend.js";
import { NO_EVENTS } from "../../support/no-events.js";
import { readParity } from "../../support/parity.js";
import { recorder } from "../../support/recorder.js";
import { callFrom, someCall } from "../../support/some-call.js";
import { reasonOf, resultOf, serviceError } from "../outcomes.js";
import { seeded } from "../seeded.js";
import { PLAIN } from "./fake-model.js";

const pathOf = (tier: string) => `triton-model-repo/sentiment_${tier}/tokenizer.json`;
const TEXT = "A fine day, and nobody minds. ".repeat(100);

describe("ReadingThreads", function () {
  this.timeout(60_000);
  let balanced: Tokenizer;
  let accurate: Tokenizer;
  let clock: FakeClock;
  let threads: Worker[];
  let events: string[];
  let readers: ReadingThreads;
  const notice = (thread: Worker) => threads.push(thread);

  const start = async (count: number) => {
    readers = new ReadingThreads(count, clock, (event, detail) =>
      events.push(`${event}: ${detail}`),
    );
    await readers.load(balanced, pathOf("balanced"));
  };
  const modelOf = (tokenizer: Tokenizer) => ({ tokenizer, maxTokens: 128 });
  const readThere = (text: string, tokenizer = balanced, question = PLAIN, call = someCall()) =>
    readers.read(modelOf(tokenizer), text, question, call);
  const readHere = (text: string, tokenizer = balanced, question = PLAIN) =>
    read(text, tokenizer, roomOf(modelOf(tokenizer)), question);
  const assertSame = async (text: string, tokenizer: Tokenizer, question: Question) => {
    const { tokenizeMs, ...reading } = resultOf(await readThere(text, tokenizer, question));
    assert.deepEqual(reading, readHere(text, tokenizer, question));
    assert.ok(tokenizeMs >= 0);
  };

  before(async () => {
    balanced = await loadTokenizer(pathOf("balanced"));
    accurate = await loadTokenizer(pathOf("accurate"));
  });
  beforeEach(() => {
    [clock, threads, events] = [new FakeClock(), [], []];
    process.on("worker", notice);
  });
  afterEach(async () => {
    process.off("worker", notice);
    await readers[Symbol.asyncDispose]();
    assert.equal(clock.pending, 0);
  });

  it("read every text of the fixture as the event loop does, by two tokenizers in turns", async () => {
    await start(2);
    await readers.load(accurate, pathOf("accurate"));
    const question = { ...PLAIN, sentences: true };
    const texts = (await readParity()).map(({ text }) => text);
    for (let first = 0; first < texts.length; first += 50) {
      const some = texts.slice(first, first + 50);
      await Promise.all(
        some.flatMap((text) => [
          assertSame(text, balanced, question),
          assertSame(text, accurate, question),
        ]),
      );
    }
  });

  for (const longText of ["windows", "truncate"] satisfies LongText[]) {
    it(`read texts of 10,000 hostile characters as the event loop does (${longText})`, async () => {
      await start(1);
      for (const repeat of Object.values(HOSTILE))
        await assertSame(repeat(10_000, seeded(1)), balanced, { ...PLAIN, longText });
    });
  }

  it("read a text of one sentence once", async () => {
    await start(1);
    const question = { ...PLAIN, sentences: true };
    const reading = resultOf(await readThere("One sentence alone", balanced, question));
    assert.equal(reading.sentences[0]?.windows, reading.windows);
    assert.equal(windowsToRead(reading).length, 1);
  });

  it("refuse what `read` refuses, in its words", async () => {
    await start(1);
    const question = { ...PLAIN, longText: "reject" } as const;
    const refused = reasonOf(await readThere(TEXT, balanced, question));
    assert.throws(() => readHere(TEXT, balanced, question), refused as ServiceError);
    assert.ok(refused instanceof ServiceError && refused.reason === "TEXT_TOO_LONG");
  });

  it("leave the event loop free meanwhile", async () => {
    await start(1);
    let turns = 0;
    let isRead = false;
    const reading = readThere("電".repeat(10_000)).finally(() => {
      isRead = true;
    });
    await until(() => {
      turns++;
      return isRead;
    });
    resultOf(await reading);
    assert.ok(turns > 10, `${turns} turns`);
  });

  it("take long texts alone", async () => {
    await start(1);
    assert.deepEqual(["a".repeat(499), "a".repeat(500)].map(readers.takes), [false, true]);
  });

  it("do not read for a caller that has left, or leaves while the text waits", async () => {
    await start(1);
    const { prototype } = MessagePort;
    const { postMessage } = prototype;
    let posted = 0;
    prototype.postMessage = function (this: MessagePort, ...message: [unknown]) {
      posted++;
      postMessage.apply(this, message);
    };
    try {
      const gone = new Error("the caller has left");
      await assert.rejects(
        readThere(TEXT, balanced, PLAIN, someCall({ signal: AbortSignal.abort(gone) })),
        gone,
      );
      const caller = new AbortController();
      const call = someCall({ signal: caller.signal });
      const underWay = readThere(TEXT, balanced, PLAIN, call);
      const waiting = readThere(TEXT, balanced, PLAIN, call);
      const other = readThere("somebody else's");
      caller.abort(gone);
      await assert.rejects(underWay, gone);
      await assert.rejects(waiting, gone);
      assert.equal(resultOf(await other).text, "somebody else's");
    } finally {
      prototype.postMessage = postMessage;
    }
    assert.equal(posted, 2);
  });

  it("that die give their texts back, and are replaced by some that have the tokenizers", async () => {
    await start(1);
    await readers.load(accurate, pathOf("accurate"));
    // Long enough to be still under way when its thread ends.
    const underWay = readThere("電".repeat(500_000));
    const waiting = readThere(TEXT, accurate);
    void threads[0]?.terminate();
    assert.equal(await underWay, undefined);
    assert.match(events.join(), /^died: exit code 1, next try in 100 ms/);
    clock.advance(100);
    assert.equal(resultOf(await waiting).tokenCount, readHere(TEXT, accurate).tokenCount);
    assert.equal(events[1], "replaced: 2 loaded");
    await assertSame(TEXT, balanced, PLAIN);
  });

  it("that hang are ended: the text alone fails, and the next one is read", async () => {
    await start(1);
    const [hung] = threads;
    const ended = new Promise((resolve) => hung?.once("exit", resolve));
    const endless = readThere(TEXT);
    const waiting = readThere(TEXT);
    // Looks go on since the tokenizer was loaded: the text may have begun between two.
    clock.advance(14_999);
    assert.deepEqual(events, []);
    clock.advance(1);
    serviceError(
      "DEADLINE",
      "The text takes too long to read: shorten it.",
    )(reasonOf(await endless));
    await ended;
    assert.equal(events[0], "hangs: one request takes over 10 s, next try in 100 ms");
    clock.advance(100);
    resultOf(await waiting);
  });

  it("give texts back while none of them can be replaced", async () => {
    const folder = await mkdtemp(join(tmpdir(), "sentiment-reading-"));
    try {
      const path = join(folder, "tokenizer.json");
      await cp(pathOf("balanced"), path);
      readers = new ReadingThreads(1, clock, (event) => events.push(event));
      await readers.load(balanced, path);
      await cp(pathOf("accurate"), path);
      await threads[0]?.terminate();
      await until(() => events.length === 1);
      const waiting = readThere(TEXT);
      clock.advance(100);
      assert.equal(await waiting, undefined);
      await until(() => events.length === 3);
      assert.equal(await readThere(TEXT), undefined);
      assert.deepEqual(events, ["died", "failed", "died"]);
      // As it was: the next try is a success.
      await cp(pathOf("balanced"), path);
      clock.advance(200);
      await until(() => events.at(-1) === "replaced");
      await assertSame(TEXT, balanced, PLAIN);
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  it("take no tokenizer but the one that was meant, and none that is none", async () => {
    await start(1);
    await assert.rejects(readers.load(accurate, pathOf("balanced")), {
      name: "StartupError",
      message: /^triton-model-repo\/sentiment_balanced\/tokenizer.json has changed since it was/,
    });
    assert.equal(await readThere(TEXT, accurate), undefined);
    const folder = await mkdtemp(join(tmpdir(), "sentiment-reading-"));
    await writeFile(join(folder, "none.json"), "{}");
    const none = readers.load(accurate, join(folder, "none.json"));
    await assert.rejects(none, { name: "StartupError", message: /is not a tokenizer/ });
    await rm(folder, { recursive: true });
  });

  it("keep a tokenizer until all have given it back", async () => {
    await start(1);
    const one = await readers.load(accurate, pathOf("accurate"));
    const other = await readers.load(accurate, pathOf("accurate"));
    await one[Symbol.asyncDispose]();
    await assertSame(TEXT, accurate, PLAIN);
    await other[Symbol.asyncDispose]();
    assert.equal(await readThere(TEXT, accurate), undefined);
    await readers.load(accurate, pathOf("accurate"));
    await assertSame(TEXT, accurate, PLAIN);
    await assertSame(TEXT, balanced, PLAIN);
  });

  it("serve keys in turns, however much one of them has sent before", async () => {
    await start(1);
    const ended: string[] = [];
    const readFor = (holder: string) =>
      readThere(TEXT, balanced, PLAIN, callFrom({ holder })).then(() => ended.push(holder));
    const reads = [...Array<string>(20).fill("many"), "one"].map(readFor);
    await Promise.all(reads);
    assert.ok(ended.indexOf("one") <= 3, ended.join());
  });

  it("let no call in with long texts of a key that has 1,024 there, nor let them wait for a closed server", async () => {
    await start(1);
    const [shed, told] = recorder((_reason: string, _texts: number) => {});
    const model = { events: { ...NO_EVENTS, shed } };
    const reads = Array.from({ length: 1023 }, () => readThere("a"));
    readers.admit(model, [TEXT], someCall());
    reads.push(readThere("a"));
    const full = serviceError(
      "OVERLOADED",
      "Too many long texts wait to be read (1024): try again later.",
      { retryAfterMs: 1000 },
    );
    assert.throws(() => readers.admit(model, ["short", TEXT], someCall()), full);
    assert.throws(() => readers.admit(model, [TEXT], unasked(someCall().signal)), full);
    readers.admit(model, ["short"], someCall());
    readers.admit(model, [TEXT], callFrom({ holder: "another" }));
    assert.deepEqual(told, [["queue_full", 2]]);
    await readers[Symbol.asyncDispose]();
    const [underWay, ...waiting] = await Promise.all(reads);
    assert.equal(resultOf(underWay).tokenCount, 1);
    for (const outcome of [...waiting, await readThere("a")]) {
      const reason = reasonOf(outcome);
      assert.ok(reason instanceof ServiceError && reason.reason === "DRAINING");
    }
  });
});
