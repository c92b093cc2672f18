import assert from "node:assert/strict";
import { readdir, readFile, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { readKeyFile } from "../../../../server/rpc/keys/key-file.js";
import { addNewKey } from "../../../../server/rpc/keys/new-key.js";
import { revokeKey } from "../../../../server/rpc/keys/revoke-key.js";
import { type KeyFolder, keyFolder } from "../../../support/key-folder.js";

describe("revokeKey", () => {
  let folder: KeyFolder;
  beforeEach(async () => {
    folder = await keyFolder();
  });
  afterEach(() => folder[Symbol.asyncDispose]());

  it("takes out that entry, and leaves the others as they were, for their owner alone", async () => {
    for (const name of ["one", "two", "three"]) await addNewKey(folder.file, name, ["analyze"]);
    const [one, , three] = await readKeyFile(folder.file);
    await revokeKey(folder.file, "two");
    assert.deepEqual(await readKeyFile(folder.file), [one, three]);
    assert.equal((await stat(folder.file)).mode & 0o777, 0o600);
    assert.deepEqual(await readdir(dirname(folder.file)), ["keys.json"]);
  });

  it("may take out the last", async () => {
    await addNewKey(folder.file, "one", ["analyze"]);
    await revokeKey(folder.file, "one");
    assert.deepEqual(await readKeyFile(folder.file), []);
  });

  it("names who has no key, and leaves the file as it was, also where there is none", async () => {
    const refusal = { name: "StartupError", message: /has no key of two: sentiment-keys list/ };
    await assert.rejects(revokeKey(folder.file, "two"), refusal);
    assert.deepEqual(await readdir(dirname(folder.file)), []);
    await addNewKey(folder.file, "one", ["analyze"]);
    const before = await readFile(folder.file, "utf8");
    await assert.rejects(revokeKey(folder.file, "two"), refusal);
    assert.equal(await readFile(folder.file, "utf8"), before);
    assert.deepEqual(await readdir(dirname(folder.file)), ["keys.json"]);
  });
});
