import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import type { KeyEntry } from "../../../../server/rpc/keys/key-file.js";
import { keysOf, knownKeys } from "../../../../server/rpc/keys/keys.js";

const NOW = Date.parse("2026-11-24T12:00:00Z");
const SALT = "00112233445566778899aabbccddeeff";

const idOf = (digit: string) => digit.repeat(16);
const keyOf = (digit: string, secret = "s") => `sap_${idOf(digit)}_${secret.repeat(43)}`;

/** Of the key that `keyOf` gives for that digit. */
function entry(digit: string, more: Partial<KeyEntry> = {}): KeyEntry {
  const hash = createHash("sha256")
    .update(Buffer.concat([Buffer.from(SALT, "hex"), Buffer.from(keyOf(digit))]))
    .digest("hex");
  return { id: idOf(digit), name: digit, salt: SALT, hash, rights: ["analyze"], ...more };
}

describe("keysOf", () => {
  const holderOf = (entries: readonly KeyEntry[], key: string) =>
    keysOf(
      () => knownKeys(entries),
      () => NOW,
    ).holderOf(key);

  it("knows the holder of each key, wherever its entry stands", () => {
    const entries = [
      entry("a"),
      entry("b", { rights: ["analyze", "admin"], tokensPerMinute: 5 }),
      entry("c"),
    ];
    for (const { name, rights, tokensPerMinute } of entries) {
      const holder = holderOf(entries, keyOf(name));
      assert.deepEqual(
        [holder?.name, holder?.rights, holder?.tokensPerMinute],
        [name, rights, tokensPerMinute],
      );
    }
  });

  it("knows no other key: nearly the same, empty, long, without its id, or the hash itself", () => {
    const known = entry("a");
    const key = keyOf("a");
    for (const wrong of [
      keyOf("b"),
      keyOf("a", "t"),
      key.slice(0, -1),
      `${key} `,
      `${key}s`,
      key.toUpperCase(),
      key.slice(21),
      "",
      "sap_",
      known.hash,
      "k".repeat(100_000),
    ])
      assert.equal(holderOf([known], wrong), undefined, wrong.slice(0, 100));
    assert.equal(holderOf([], key), undefined);
  });

  it("takes each key for that of its own entry alone", () => {
    const swapped = [entry("a", { id: idOf("b") }), entry("b", { id: idOf("a") })];
    for (const digit of ["a", "b"]) assert.equal(holderOf(swapped, keyOf(digit)), undefined);
  });

  it("takes digits of either case in the file", () => {
    const { hash } = entry("a");
    assert.ok(holderOf([entry("a", { hash: hash.toUpperCase() })], keyOf("a")));
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
      assert.equal(holderOf([entry("a", { expires })], keyOf("a")) !== undefined, good, expires);
  });

  it("looks at the time of each call", () => {
    let nowMs = NOW;
    const known = knownKeys([entry("a", { expires: "2026-11-25" })]);
    const keys = keysOf(
      () => known,
      () => nowMs,
    );
    assert.ok(keys.holderOf(keyOf("a")));
    nowMs += 24 * 3600 * 1000;
    assert.equal(keys.holderOf(keyOf("a")), undefined);
  });

  describe("a holder who was let in", () => {
    let entries: readonly KeyEntry[];
    let nowMs: number;
    beforeEach(() => {
      entries = [entry("a", { expires: "2026-11-25" }), entry("b")];
      nowMs = NOW;
    });
    const letIn = () => {
      const keys = keysOf(
        () => knownKeys(entries),
        () => nowMs,
      );
      const holder = keys.holderOf(keyOf("a"));
      assert.ok(holder);
      return holder;
    };

    it("is current as long as the key is in the file, whatever else changes", () => {
      const holder = letIn();
      entries = [entry("c"), entry("a", { tokensPerMinute: 9, rights: ["admin", "analyze"] })];
      nowMs += 48 * 3600 * 1000;
      assert.ok(holder.isCurrent());
    });

    it("may have as much as the file says now, and what it said last where the key is gone", () => {
      const holder = letIn();
      assert.equal(holder.tokensPerMinute, undefined);
      entries = [entry("a", { tokensPerMinute: 9 })];
      assert.equal(holder.tokensPerMinute, 9);
      entries = [entry("a", { tokensPerMinute: 3 }), entry("b")];
      assert.equal(holder.tokensPerMinute, 3);
      entries = [];
      assert.equal(holder.tokensPerMinute, 3);
    });

    it("is not once the key has expired, is revoked, is another's, or has lost a right", () => {
      const holder = letIn();
      const changes: readonly (readonly KeyEntry[])[] = [
        [entry("b")],
        [],
        [entry("a", { hash: entry("b").hash })],
        [entry("a", { rights: ["admin"] })],
        [entry("a", { expires: "2026-11-24" })],
      ];
      for (const changed of changes) {
        entries = changed;
        assert.equal(holder.isCurrent(), false);
      }
      entries = [entry("a", { expires: "2026-11-25" })];
      assert.ok(holder.isCurrent());
      nowMs = Date.parse("2026-11-25");
      assert.equal(holder.isCurrent(), false);
    });
  });
});
