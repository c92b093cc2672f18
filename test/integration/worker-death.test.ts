import assert from "node:assert/strict";
import { once } from "node:events";
import { copyFile, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Worker } from "node:worker_threads";
import type { Backend, ModelVersion } from "../../server/backend/backend.js";
import { embeddedBackend } from "../../server/backend/embedded/embedded-backend.js";
import { padded } from "../../server/backend/padding.js";
import { ServiceError } from "../../server/core/errors.js";
import { FakeClock } from "../support/fake-clock.js";
import { until } from "../support/held-backend.js";
import { ANYTIME, modelVersion } from "../support/model-version.js";

const ROW = [101, 1045, 2293, 2023, 102];
/** Long enough to be still under way when the backend is closed. */
const SLOW = Array.from({ length: 64 }, () => [101, ...Array(300).fill(2023), 102]);

describe("death of an inference worker", function () {
  this.timeout(30_000);
  let folder: string;
  let original: ModelVersion;
  let model: ModelVersion;
  let file: string;
  let threads: Worker[];
  let events: string[];
  let clock: FakeClock;
  let onEvent: (event: string) => void;
  const notice = (thread: Worker) => threads.push(thread);

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "sentiment-worker-"));
    original = await modelVersion("fast");
    file = join(folder, "model.onnx");
    model = { ...original, onnxPath: file };
    await copyFile(original.onnxPath, file);
    [threads, events, clock, onEvent] = [[], [], new FakeClock(), () => {}];
    process.on("worker", notice);
  });
  afterEach(async () => {
    process.off("worker", notice);
    await rm(folder, { recursive: true });
  });

  async function start(workers: number): Promise<Backend> {
    const options = { workers, intraOpThreads: 1, gpu: false, takesAllCores: true };
    const backend = embeddedBackend(options, clock, (event, detail) => {
      events.push(`${event}: ${detail}`);
      onEvent(event);
    });
    await backend.load(model);
    return backend;
  }
  const answer = async (backend: Backend) => [
    ...(await backend.infer(model, padded([ROW], 0), ANYTIME)).logits,
  ];
  const seen = (count: number) => until(() => events.length === count);

  /** The thread ends before it takes up what is sent to it next: its owner learns of that a turn later. */
  const kill = (place: number) => void threads[place]?.terminate();

  it("a batch that was under way is run again by another worker", async () => {
    await using backend = await start(2);
    const expected = await answer(backend);
    kill(0);
    assert.deepEqual(await answer(backend), expected);
    assert.match(events.join(), /^died: exit code 1, next try in 100 ms/);
  });

  it("a dead worker is replaced by one that has its models, after a rest", async () => {
    await using backend = await start(1);
    const expected = await answer(backend);
    await threads[0]?.terminate();
    await seen(1);
    assert.equal(threads.length, 1, "it did not rest");
    const waiting = answer(backend);
    clock.advance(100);
    assert.deepEqual(await waiting, expected);
    assert.equal(threads.length, 2);
    assert.equal(events[1], "replaced: 1 loaded");
  });

  it("a batch over which two workers die is given up, and the next one is answered", async () => {
    await using backend = await start(1);
    onEvent = (event) => {
      if (event === "replaced" && threads.length === 2) kill(1);
    };
    kill(0);
    const underWay = assert.rejects(
      answer(backend),
      (error) => error instanceof ServiceError && error.reason === "BACKEND_DOWN",
    );
    await seen(1);
    clock.advance(100);
    await underWay;
    assert.equal(threads.length, 2);
    clock.advance(100);
    assert.equal((await answer(backend)).length, 3);
  });

  it("one that hangs is replaced, and ends when it comes back", async () => {
    await using backend = await start(1);
    const slow = backend.infer(model, padded(SLOW, 0), ANYTIME);
    const [hung] = threads;
    assert.ok(hung);
    const ended = once(hung, "exit");
    clock.advance(59_999);
    assert.deepEqual(events, []);
    // It may have begun between two looks.
    clock.advance(5001);
    await seen(1);
    assert.equal(events[0], "hangs: one request takes over 60 s, next try in 100 ms");
    clock.advance(100);
    assert.equal((await slow).logits.length, SLOW.length * 3);
    assert.equal(events[1], "replaced: 1 loaded");
    await ended;
    assert.equal(threads.length, 2);
  });

  it("a batch over which one hangs is given up when nobody waits for it any more", async () => {
    await using backend = await start(1);
    const left = new AbortController();
    const slow = backend.infer(model, padded(SLOW, 0), { ...ANYTIME, signal: left.signal });
    left.abort(new Error("left"));
    clock.advance(65_000);
    await assert.rejects(slow, /left/);
    clock.advance(100);
    assert.equal((await answer(backend)).length, 3);
  });

  it("tries again ever more slowly while the model cannot be loaded", async () => {
    await using backend = await start(1);
    const expected = await answer(backend);
    await rm(file);
    await threads[0]?.terminate();
    await seen(1);
    for (const restMs of [100, 200, 400]) {
      assert.match(events.at(-1) ?? "", new RegExp(`^died: .*next try in ${restMs} ms`));
      const before = events.length;
      clock.advance(restMs);
      await seen(before + 2);
      assert.match(events.at(-2) ?? "", /^failed: /);
      await assert.rejects(
        answer(backend),
        (error) => error instanceof ServiceError && error.reason === "BACKEND_DOWN",
      );
    }
    await copyFile(original.onnxPath, file);
    clock.advance(800);
    await until(() => events.at(-1)?.startsWith("replaced") === true);
    assert.deepEqual(await answer(backend), expected);
  });

  it("is closed while it rests, and while it works", async () => {
    const resting = await start(1);
    await threads[0]?.terminate();
    await seen(1);
    const refused = assert.rejects(answer(resting), /shutting down/);
    await resting[Symbol.asyncDispose]();
    await refused;
    assert.equal(clock.pending, 0);

    const working = await start(1);
    const underWay = working.infer(model, padded(SLOW, 0), ANYTIME);
    await working[Symbol.asyncDispose]();
    assert.equal((await underWay).logits.length, SLOW.length * 3);
  });
});
