import assert from "node:assert/strict";
import {
  chown,
  lchown,
  mkdir,
  readdir,
  readFile,
  rm,
  stat,
  symlink,
  utimes,
  writeFile,
} from "node:fs/promises";
import { join } from "node:path";
import { ServiceError } from "../../../server/core/errors.js";
import type { FolderLimits, ProfileKind } from "../../../server/observe/profile-folder.js";
import { Profiles } from "../../../server/observe/profiles.js";
import { FakeClock } from "../../support/fake-clock.js";
import { until } from "../../support/held-backend.js";
import { type ScratchFolder, scratchFolder } from "../../support/scratch-folder.js";

const NEVER = new AbortController().signal;

/** A function whose name a profile must show. */
function spendTime(ms: number): number {
  const endMs = performance.now() + ms;
  let turns = 0;
  while (performance.now() < endMs) turns += Math.sqrt(turns) > 1 ? 1 : 2;
  return turns;
}

describe("profiles", function () {
  this.timeout(20_000);
  let clock: FakeClock;
  let scratch: ScratchFolder;
  let folder: string;
  let captured: string[];
  let unpruned: unknown[];
  let profiles: Profiles;
  const open = (limits?: FolderLimits) =>
    new Profiles({ folder, ...(limits && { limits }) }, clock, {
      captured: (kind) => captured.push(kind),
      unpruned: (error) => unpruned.push(error),
    });
  beforeEach(async () => {
    [clock, captured, unpruned] = [new FakeClock(), [], []];
    scratch = await scratchFolder();
    folder = join(scratch.path, "profiles");
    profiles = open();
  });
  afterEach(() => scratch[Symbol.asyncDispose]());

  /** Of `ms` on the clock, while `work` is done. */
  async function capture(kind: ProfileKind, work = () => {}, ms = 1000) {
    const capturing = profiles.capture(kind, ms, NEVER);
    await until(() => clock.pending > 0);
    work();
    clock.advance(ms);
    return await capturing;
  }
  const reasonOf = (work: Promise<unknown>) =>
    work.then(
      () => assert.fail("it was recorded"),
      (error: unknown) => (error instanceof ServiceError ? error.reason : error),
    );
  const left = () => readdir(folder);

  it("names the functions that CPU time goes to, in a file for its owner alone", async () => {
    const { path, bytes } = await capture("cpu", () => spendTime(200));
    assert.match(path, /sentiment-cpu-\d{4}-\d\d-\d\dT[\d-]+\.\d{3}Z-\d+\.cpuprofile$/);
    const text = await readFile(path, "utf8");
    assert.equal(Buffer.byteLength(text), bytes);
    const { nodes, samples } = JSON.parse(text);
    assert.ok(samples.length > 0);
    const names = nodes.map(({ callFrame }: { callFrame: { functionName: string } }) => callFrame);
    assert.ok(names.some(({ functionName }: never) => functionName === "spendTime"));
    assert.equal((await stat(path)).mode & 0o777, 0o600);
    assert.equal((await stat(folder)).mode & 0o777, 0o700);
    assert.deepEqual(captured, ["cpu"]);
    assert.equal(clock.pending, 0);
  });

  it("tells what allocates, garbage included", async () => {
    const allocate = () => {
      for (let turn = 0; turn < 2000; turn++) JSON.parse(`[${"1,".repeat(500)}1]`);
    };
    const { path } = await capture("allocation", allocate);
    assert.match(path, /\.heapprofile$/);
    const text = await readFile(path, "utf8");
    assert.ok(JSON.parse(text).head.children.length > 0);
    assert.match(text, /"functionName":"allocate"/);
  });

  it("takes what is on the heap, at once", async () => {
    const { path, bytes } = await profiles.capture("heap", 0, NEVER);
    assert.match(path, /\.heapsnapshot$/);
    const { snapshot, nodes } = JSON.parse(await readFile(path, "utf8"));
    assert.ok(snapshot.node_count > 1000);
    assert.equal(nodes.length, snapshot.node_count * snapshot.meta.node_fields.length);
    assert.equal((await stat(path)).size, bytes);
  });

  it("records one at a time, tells when it will be done, and then the next", async () => {
    const first = profiles.capture("cpu", 5000, NEVER);
    await until(() => clock.pending > 0);
    clock.advance(2000);
    await assert.rejects(profiles.capture("heap", 0, NEVER), (error) => {
      assert.ok(error instanceof ServiceError);
      assert.deepEqual([error.reason, error.hints.retryAfterMs], ["OVERLOADED", 3000]);
      return true;
    });
    clock.advance(3000);
    await first;
    await capture("cpu");
    assert.equal((await left()).length, 2);
  });

  it("ends with the caller who leaves, leaves no file, and records the next", async () => {
    const leaving = new AbortController();
    const gone = new Error("left");
    const failed = assert.rejects(profiles.capture("cpu", 5000, leaving.signal), gone);
    await until(() => clock.pending > 0);
    assert.match((await left()).join(), /^sentiment-cpu-.*\.part$/);
    leaving.abort(gone);
    await failed;
    assert.deepEqual([await left(), clock.pending], [[], 0]);
    // One who has left before it began.
    await assert.rejects(profiles.capture("cpu", 5000, leaving.signal), gone);
    await capture("cpu");
    assert.deepEqual(captured, ["cpu"]);
  });

  it("ends with the server, and leaves no file", async () => {
    const capturing = reasonOf(profiles.capture("cpu", 5000, NEVER));
    await until(() => clock.pending > 0);
    await profiles[Symbol.asyncDispose]();
    assert.deepEqual(await left(), []);
    assert.equal(await capturing, "DRAINING");
  });

  it("says what is wrong with a folder before it records, and leaves nothing", async () => {
    await writeFile(folder, "a file");
    await assert.rejects(profiles.capture("cpu", 5000, NEVER), (error) => {
      assert.ok(error instanceof ServiceError);
      assert.equal(error.reason, "PROFILE_UNWRITABLE");
      assert.match(
        error.message,
        /profiles\/sentiment-cpu-.* cannot be written: E\w+: .*PROFILE_DIR/,
      );
      return true;
    });
    assert.equal(clock.pending, 0);
  });

  it("writes into no folder of another user, nor where his link leads", async function () {
    // Nobody else can make what belongs to others.
    if (process.getuid?.() !== 0) this.skip();
    const other = 65_534;
    await mkdir(folder);
    await chown(folder, other, other);
    assert.equal(await reasonOf(profiles.capture("cpu", 5000, NEVER)), "PROFILE_UNWRITABLE");
    await chown(folder, 0, 0);
    const own = join(scratch.path, "own");
    await mkdir(own);
    await rm(folder, { recursive: true });
    await symlink(own, folder);
    await capture("cpu");
    assert.equal((await readdir(own)).length, 1);
    await lchown(folder, other, other);
    assert.equal(await reasonOf(profiles.capture("cpu", 5000, NEVER)), "PROFILE_UNWRITABLE");
    assert.equal((await readdir(own)).length, 1);
  });

  it("leaves nothing of a profile that the disk has no room for", async () => {
    profiles = open({ files: 20, bytes: 1000 });
    assert.equal(await reasonOf(capture("cpu", () => spendTime(50))), "PROFILE_UNWRITABLE");
    clock = new FakeClock();
    assert.equal(await reasonOf(profiles.capture("heap", 0, NEVER)), "PROFILE_UNWRITABLE");
    assert.deepEqual([await left(), captured], [[], []]);
  });

  it("keeps so many files and bytes, the newest, and nothing of another's goes", async () => {
    profiles = open({ files: 3, bytes: 2 ** 30 });
    await capture("cpu");
    const old = async (name: string, bytes: number, hoursAgo: number) => {
      await writeFile(join(folder, name), "x".repeat(bytes));
      const time = Date.now() / 1000 - hoursAgo * 3600;
      await utimes(join(folder, name), time, time);
    };
    await old("sentiment-cpu-1.cpuprofile", 10, 5);
    await old("sentiment-heap-2.heapsnapshot", 10, 4);
    await old("sentiment-heap-3.heapsnapshot.part", 10, 3);
    await old("notes.txt", 10, 9);
    // Another process writes it just now.
    await old("sentiment-heap-4.heapsnapshot.part", 10, 0);
    const { path } = await capture("allocation");
    const names = await left();
    assert.equal(names.length, 5, names.join());
    for (const gone of ["sentiment-cpu-1.cpuprofile", "sentiment-heap-2.heapsnapshot"])
      assert.ok(!names.includes(gone), gone);
    profiles = open({ files: 3, bytes: (await stat(path)).size + 5000 });
    await old("sentiment-cpu-5.cpuprofile", 100_000, 1);
    await capture("allocation");
    assert.ok(!(await left()).includes("sentiment-cpu-5.cpuprofile"));
    assert.ok((await left()).includes("notes.txt"));
    assert.deepEqual(unpruned, []);
  });
});
