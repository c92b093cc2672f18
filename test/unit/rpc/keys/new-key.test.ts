import assert from "node:assert/strict";
import {
  chmod,
  chown,
  lstat,
  mkdir,
  readdir,
  readFile,
  stat,
  symlink,
  writeFile,
} from "node:fs/promises";
import { dirname, join } from "node:path";
import { readKeyFile } from "../../../../server/rpc/keys/key-file.js";
import { keysOf, knownKeys } from "../../../../server/rpc/keys/keys.js";
import { addNewKey } from "../../../../server/rpc/keys/new-key.js";
import { type KeyFolder, keyFolder } from "../../../support/key-folder.js";

describe("addNewKey", () => {
  let folder: KeyFolder;
  beforeEach(async () => {
    folder = await keyFolder();
  });
  afterEach(() => folder[Symbol.asyncDispose]());
  const holderOf = async (key: string) => {
    const known = knownKeys(await readKeyFile(folder.file));
    const holder = keysOf(() => known, Date.now).holderOf(key);
    return holder && [holder.name, holder.rights, holder.tokensPerMinute];
  };

  it("makes a file of keys that are known, and of which it holds no word", async () => {
    const one = await addNewKey(folder.file, "one", ["analyze"]);
    const limits = { tokensPerMinute: 500, expires: "9999-01-31" };
    const two = await addNewKey(folder.file, "two", ["analyze", "admin"], limits);
    assert.match(one, /^sap_[0-9a-f]{16}_[\w-]{43}$/);
    assert.notEqual(one, two);
    assert.deepEqual(await holderOf(one), ["one", ["analyze"], undefined]);
    assert.deepEqual(await holderOf(two), ["two", ["analyze", "admin"], 500]);
    const text = await readFile(folder.file, "utf8");
    // It may have a "_" of its own.
    const secret = one.slice(-43);
    assert.ok(!text.includes(secret));
    const [first, second] = await readKeyFile(folder.file);
    assert.equal(first?.id, one.split("_")[1]);
    assert.equal(second?.expires, "9999-01-31");
    assert.notEqual(first?.salt, second?.salt);
    assert.notEqual(first?.id, second?.id);
  });

  it("makes a file for its owner alone, and leaves nothing beside it", async () => {
    await addNewKey(folder.file, "one", ["analyze"]);
    assert.equal((await stat(folder.file)).mode & 0o777, 0o600);
    assert.deepEqual(await readdir(dirname(folder.file)), ["keys.json"]);
  });

  it("leaves a file that is there to whom it belongs, and readable by whom it was", async () => {
    await writeFile(folder.file, '{"keys": []}');
    await chmod(folder.file, 0o644);
    // Only root may give a file away.
    if (process.geteuid?.() === 0) await chown(folder.file, 1000, 1001);
    const { uid, gid, mode } = await stat(folder.file);
    await addNewKey(folder.file, "one", ["analyze"]);
    const after = await stat(folder.file);
    assert.deepEqual([after.uid, after.gid, after.mode], [uid, gid, mode]);
    assert.equal((await readKeyFile(folder.file)).length, 1);
  });

  it("refuses a name that is taken, and a broken file, and leaves them as they were", async () => {
    await addNewKey(folder.file, "one", ["analyze"]);
    const before = await readFile(folder.file, "utf8");
    await assert.rejects(addNewKey(folder.file, "one", ["admin"]), {
      name: "StartupError",
      message: /has a key of one already: take another name, or revoke that key/,
    });
    assert.equal(await readFile(folder.file, "utf8"), before);
    await writeFile(folder.file, "{");
    await assert.rejects(addNewKey(folder.file, "two", ["admin"]), /is not JSON/);
    assert.equal(await readFile(folder.file, "utf8"), "{");
    assert.deepEqual(await readdir(dirname(folder.file)), ["keys.json"]);
  });

  it("loses no key where several are made at once: who comes second is told", async () => {
    const outcomes = await Promise.allSettled(
      ["a", "b", "c"].map((name) => addNewKey(folder.file, name, ["analyze"])),
    );
    const made = outcomes.filter(({ status }) => status === "fulfilled");
    assert.equal((await readKeyFile(folder.file)).length, made.length);
    for (const outcome of outcomes) {
      if (outcome.status === "rejected")
        assert.match(String(outcome.reason), /another command is at work.*try again/);
    }
  });

  it("writes through a link, and leaves it one", async () => {
    const target = join(dirname(folder.file), "real.json");
    await writeFile(target, '{"keys": []}');
    await symlink(target, folder.file);
    const key = await addNewKey(folder.file, "one", ["analyze"]);
    assert.ok((await lstat(folder.file)).isSymbolicLink());
    assert.ok(await holderOf(key));
  });

  it("names a folder that is not there, and a file that cannot be read", async () => {
    const nowhere = join(dirname(folder.file), "nowhere", "keys.json");
    await assert.rejects(addNewKey(nowhere, "one", ["admin"]), /name a folder that may be written/);
    await mkdir(folder.file);
    await assert.rejects(addNewKey(folder.file, "one", ["admin"]), /keys\.json cannot be read/);
  });
});
