import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import type { KeyEntry } from "../../../../server/rpc/keys/key-file.js";
import { keysOf } from "../../../../server/rpc/keys/keys.js";

const NOW = Date.parse("2026-11-24T12:00:00Z");
const SALT = "00112233445566778899aabbccddeeff";

function entry(name: string, key: string, more: Partial<KeyEntry> = {}): KeyEntry {
  const hash = createHash("sha256")
    .update(Buffer.concat([Buffer.from(SALT, "hex"), Buffer.from(key)]))
    .digest("hex");
  return { name, salt: SALT, hash, rights: ["analyze"], ...more };
}

describe("keysOf", () => {
  const holderOf = (entries: readonly KeyEntry[], key: string) =>
    keysOf(entries, () => NOW).holderOf(key);

  it("knows the holder of each key, wherever its entry stands", () => {
    const entries = [
      entry("a", "key a"),
      entry("b", "key b", { rights: ["analyze", "admin"] }),
      entry("c", "kéy c"),
    ];
    assert.deepEqual(holderOf(entries, "key a"), { name: "a", rights: ["analyze"] });
    assert.deepEqual(holderOf(entries, "key b"), { name: "b", rights: ["analyze", "admin"] });
    assert.equal(holderOf(entries, "kéy c")?.name, "c");
  });

  it("knows no other key: nearly the same, empty, long, or the hash itself", () => {
    const known = entry("a", "key a");
    for (const key of ["key b", "key", "key a ", "KEY A", "", known.hash, "k".repeat(100_000)])
      assert.equal(holderOf([known], key), undefined, key);
    assert.equal(holderOf([], "key a"), undefined);
  });

  it("takes digits of either case in the file", () => {
    const { hash } = entry("a", "key a");
    assert.ok(holderOf([entry("a", "", { hash: hash.toUpperCase() })], "key a"));
  });

  it("refuses a key from the moment on at which it expires", () => {
    const ends: readonly (readonly [expires: string, good: boolean])[] = [
      ["2026-11-24T12:00:00.001Z", true],
      ["2026-11-24T12:00:00Z", false],
      ["2026-11-24T13:30:00+01:00", true],
      ["2026-11-25", true],
      ["2026-11-24", false],
    ];
    for (const [expires, good] of ends)
      assert.equal(holderOf([entry("a", "k", { expires })], "k") !== undefined, good, expires);
  });

  it("looks at the time of each call", () => {
    let nowMs = NOW;
    const keys = keysOf([entry("a", "k", { expires: "2026-11-25" })], () => nowMs);
    assert.ok(keys.holderOf("k"));
    nowMs += 24 * 3600 * 1000;
    assert.equal(keys.holderOf("k"), undefined);
  });
});
