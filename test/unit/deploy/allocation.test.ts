import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { ALLOCATION } from "../../../benchmarks/server.js";

describe("how glibc has the server's memory", () => {
  for (const file of ["Makefile", "deploy/docker/Dockerfile", "docs/operations.md"])
    it(`is set in ${file} as benchmarks measure it`, () => {
      const set = new Map(
        [...readFileSync(file, "utf8").matchAll(/\b(MALLOC_\w+|GLIBC_TUNABLES)=([\w.=]+)/g)].map(
          ([, name = "", value = ""]) => [name, value],
        ),
      );
      assert.deepEqual(Object.fromEntries(set), ALLOCATION);
    });
});
