import assert from "node:assert/strict";
import { rename, rm, writeFile } from "node:fs/promises";
import { addNewKey } from "../../../../server/rpc/keys/new-key.js";
import { watchKeys } from "../../../../server/rpc/keys/watched-keys.js";
import { FakeClock } from "../../../support/fake-clock.js";
import { until } from "../../../support/held-backend.js";
import { type KeyFolder, keyFolder } from "../../../support/key-folder.js";
import { recorder } from "../../../support/recorder.js";

const SECOND = 1000;

describe("watchKeys", () => {
  let folder: KeyFolder;
  let clock: FakeClock;
  beforeEach(async () => {
    folder = await keyFolder();
    clock = new FakeClock();
  });
  afterEach(() => folder[Symbol.asyncDispose]());

  async function watched() {
    const [reread, rereadings] = recorder((_entries: number) => {});
    const [broken, faults] = recorder((_error: unknown) => {});
    const keys = await watchKeys(folder.file, clock, { reread, broken });
    /** A second goes by, and the look at the file is done. */
    const look = async () => {
      clock.advance(SECOND);
      await until(() => clock.pending === 1);
    };
    return { keys, rereadings, faults, look };
  }

  it("takes in keys that are added and taken away, within a second", async () => {
    const old = await addNewKey(folder.file, "old", ["analyze"]);
    const { keys, rereadings, faults, look } = await watched();
    using _closed = keys;
    const added = await addNewKey(folder.file, "new", ["admin"]);
    assert.equal(keys.holderOf(added), undefined);
    await look();
    assert.equal(keys.holderOf(added)?.name, "new");
    assert.ok(keys.holderOf(old));
    await writeFile(folder.file, '{"keys": []}');
    await look();
    assert.equal(keys.holderOf(old), undefined);
    assert.deepEqual([rereadings, faults], [[[2], [0]], []]);
  });

  it("reads a file that has not changed once", async () => {
    await addNewKey(folder.file, "one", ["analyze"]);
    const { keys, rereadings, faults, look } = await watched();
    using _closed = keys;
    for (let second = 0; second < 5; second++) await look();
    assert.deepEqual([rereadings, faults], [[], []]);
  });

  it("keeps the keys of a file that breaks or goes, tells it once, and takes the mended one", async () => {
    const key = await addNewKey(folder.file, "one", ["analyze"]);
    const { keys, rereadings, faults, look } = await watched();
    using _closed = keys;
    await rename(folder.file, `${folder.file}.good`);
    await look();
    await look();
    assert.match(String(faults.at(-1)?.[0]), /cannot be read/);
    assert.equal(faults.length, 1);
    await writeFile(folder.file, '{"keys": [');
    await look();
    await look();
    assert.match(String(faults.at(-1)?.[0]), /is not JSON/);
    assert.equal(faults.length, 2);
    assert.equal(keys.holderOf(key)?.name, "one");
    await rename(`${folder.file}.good`, folder.file);
    await look();
    assert.deepEqual(rereadings, [[1]]);
  });

  it("looks no more once it is disposed, also when that is while it looks", async () => {
    await addNewKey(folder.file, "one", ["analyze"]);
    const first = await watched();
    first.keys[Symbol.dispose]();
    assert.equal(clock.pending, 0);
    const second = await watched();
    await rm(folder.file);
    clock.advance(SECOND);
    second.keys[Symbol.dispose]();
    await until(() => second.faults.length === 1);
    await new Promise((next) => setImmediate(next));
    assert.equal(clock.pending, 0);
  });

  it("does not begin with a file that cannot be used", async () => {
    await assert.rejects(watched(), { name: "StartupError", message: /cannot be read/ });
    await writeFile(folder.file, "[]");
    await assert.rejects(watched(), { name: "StartupError", message: /has faults/ });
    assert.equal(clock.pending, 0);
  });
});
