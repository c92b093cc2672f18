import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { ALLOCATION } from "../../../benchmarks/server.js";

describe("how glibc has the server's memory", () => {
  for (const file of ["Makefile", "deploy/docker/Dockerfile", "docs/operations.md"])
    it(`is set in ${file} as benchmarks measure it`, () => {
      const found = readFileSync(file, "utf8").match(/\b(MALLOC_\w+|GLIBC_TUNABLES)=[\w.=]+/g);
      const measured = Object.entries(ALLOCATION).map(([name, value]) => `${name}=${value}`);
      assert.deepEqual(new Set(found), new Set(measured));
    });
});
