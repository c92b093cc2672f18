import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { watch } from "node:fs";
import { mkdir, readdir, readFile, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Worker } from "node:worker_threads";
import type { Backend, ModelVersion } from "../../server/backend/backend.js";
import { embeddedBackend } from "../../server/backend/embedded/embedded-backend.js";
import { padded } from "../../server/backend/padding.js";
import { systemClock } from "../../server/core/clock.js";
import { residentBytesNow } from "../../server/observe/resident-memory.js";
import { until } from "../support/held-backend.js";
import { ANYTIME, modelVersion } from "../support/model-version.js";
import { scratchFolder } from "../support/scratch-folder.js";

const MIB = 2 ** 20;
const BATCH = () =>
  padded(
    [
      [101, 1045, 2293, 2023, 102],
      [101, 2023, 102],
    ],
    0,
  );

describe("weights of a model that several workers have", function () {
  this.timeout(60_000);
  let stack: AsyncDisposableStack;
  let folder: string;
  let model: ModelVersion;
  let events: string[];
  const temporary = process.env["TMPDIR"];

  beforeEach(async () => {
    stack = new AsyncDisposableStack();
    folder = stack.use(await scratchFolder()).path;
    process.env["TMPDIR"] = folder;
    model = await modelVersion("fast");
    events = [];
  });
  afterEach(async () => {
    if (temporary === undefined) delete process.env["TMPDIR"];
    else process.env["TMPDIR"] = temporary;
    await stack.disposeAsync();
  });

  function start(workers: number): Backend {
    const options = { workers, intraOpThreads: 1, gpu: false };
    const report = (event: string, detail: string) => void events.push(`${event}: ${detail}`);
    return stack.use(embeddedBackend(options, systemClock, report));
  }
  const logits = async (backend: Backend) => [
    ...(await backend.infer(model, BATCH(), ANYTIME)).logits,
  ];
  /** The files there that are mapped into this process, once for each time. */
  async function mapped(): Promise<readonly string[]> {
    const maps = (await readFile("/proc/self/maps", "utf8")).split("\n");
    const ours = maps.filter((line) => line.includes(`${folder}/sentiment-weights-`));
    return ours.map((line) => line.split(/\s+/)[4] ?? "");
  }

  it("are mapped by each of them from one file, which is gone by then", async () => {
    const backend = start(2);
    await backend.load(model);
    assert.deepEqual(events, []);
    assert.deepEqual(await readdir(folder), []);
    const inodes = await mapped();
    assert.ok(inodes.length >= 2, `${inodes}`);
    assert.equal(new Set(inodes).size, 1);
    const repeated = async () => process.memoryUsage.rss() - (await residentBytesNow());
    const withTwo = await repeated();
    await backend.unload(model);
    assert.deepEqual(await mapped(), []);
    assert.ok(withTwo - (await repeated()) > 4 * MIB, "they count for each of them");
  });

  it("give the same answers, to the last bit, as those of the model's own file", async () => {
    const [shared, own] = [start(2), start(1)];
    for (const backend of [shared, own]) await backend.load(model);
    const expected = await logits(own);
    for (let n = 0; n < 4; n++) assert.deepEqual(await logits(shared), expected);
    assert.deepEqual(events, []);
  });

  it("are the model's own for a worker in the place of one that died, whatever lies where they were", async () => {
    const threads: Worker[] = [];
    const notice = (thread: Worker) => threads.push(thread);
    process.on("worker", notice);
    stack.defer(() => void process.off("worker", notice));
    const backend = start(2);
    const made = watch(folder);
    const [name] = await Promise.all([
      once(made, "change").then(([, file]) => String(file)),
      backend.load(model),
    ]);
    made.close();
    assert.match(name, /^sentiment-weights-\d+-/);
    const expected = await logits(backend);
    await mkdir(join(folder, name));
    await writeFile(join(folder, name, "model.onnx"), "another's");
    for (const thread of threads) await thread.terminate();
    await until(() => events.filter((event) => event.startsWith("replaced")).length === 2);
    assert.deepEqual(await logits(backend), expected);
  });

  it("are each worker's own where TMPDIR cannot be written to, which is told", async () => {
    const backend = start(2);
    process.env["TMPDIR"] = join(folder, "missing");
    await backend.load(model);
    assert.equal((await logits(backend)).length, 6);
    assert.match(events.join(), /^unshared: sentiment_fast is in memory once for each worker: /);
    assert.equal(events.length, 1);
  });

  it("do not stay on the disk where a process was killed while it loaded them", async () => {
    const another = spawn(process.execPath, ["--eval", ""]);
    await once(another, "exit");
    const nameOf = (pid: number | undefined, place: number) => `sentiment-weights-${pid}-${place}`;
    const left = [another.pid, process.pid, process.ppid].map(nameOf);
    const inUse = [process.pid, process.ppid].map((pid, place) => nameOf(pid, 10 + place));
    for (const name of [...left, ...inUse]) {
      await mkdir(join(folder, name));
      await writeFile(join(folder, name, "model.onnx.weights"), "left");
    }
    const anHourAgo = Date.now() / 1000 - 3600;
    for (const name of left.slice(1)) await utimes(join(folder, name), anHourAgo, anHourAgo);
    await start(2).load(model);
    assert.deepEqual((await readdir(folder)).sort(), inUse.sort());
  });
});
