import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";

const PATH = /`((?:server|test|docs|deploy|clients|training|benchmarks)\/[^\s`]*)`/g;

describe("SECURITY.md", () => {
  const lines = readFileSync("SECURITY.md", "utf8").split("\n");
  const paths = lines.flatMap((line) => [...line.matchAll(PATH)].map(([, path = ""]) => path));

  it("names only files that exist", () => {
    assert.deepEqual(
      paths.filter((path) => !existsSync(path)),
      [],
    );
    assert.ok(paths.length > 30);
  });

  it("names a test for each thing that it says is stopped", () => {
    const rows = lines.filter((line) => line.split("|").length === 6);
    const unproved = rows
      .slice(2)
      .filter((row) => !(row.includes("`test/") || row.includes("| nothing:")));
    assert.ok(rows.length > 20);
    assert.deepEqual(unproved, []);
  });
});
