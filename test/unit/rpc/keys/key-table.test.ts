import assert from "node:assert/strict";
import type { KeyEntry } from "../../../../server/rpc/keys/key-file.js";
import { keyTable } from "../../../../server/rpc/keys/key-table.js";

const NOW = Date.parse("2026-11-24T12:00:00Z");
const ENTRY: KeyEntry = {
  id: "0123456789abcdef",
  name: "a",
  salt: "5a17".repeat(8),
  hash: "4a54".repeat(16),
  rights: ["analyze"],
};

describe("keyTable", () => {
  it("has a line for each key, in columns, and nothing of its secrets", () => {
    const entries: readonly KeyEntry[] = [
      ENTRY,
      {
        ...ENTRY,
        id: "fedcba9876543210",
        name: "the-other-team",
        rights: ["analyze", "admin"],
        tokensPerMinute: 60_000,
        expires: "2027-01-31",
      },
      { ...ENTRY, name: "old", expires: "2026-11-24T12:00:00Z" },
    ];
    assert.equal(
      keyTable(entries, NOW),
      `NAME            ID                RIGHTS         TOKENS/MINUTE  EXPIRES
a               0123456789abcdef  analyze        -              never
the-other-team  fedcba9876543210  analyze,admin  60000          2027-01-31
old             0123456789abcdef  analyze        -              2026-11-24T12:00:00Z (expired)
`,
    );
  });

  it("has its heads alone where there is no key", () => {
    assert.equal(keyTable([], NOW), "NAME  ID  RIGHTS  TOKENS/MINUTE  EXPIRES\n");
  });
});
