import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { lockFaults, packagesOf } from "../../../deploy/supply-chain/lock-file.js";

const SHA512 = `sha512-${"A".repeat(86)}==`;
const FINE = { version: "1.2.3", integrity: SHA512, license: "MIT" };

const lockOf = (one: object, asked = "^1.2.3"): string =>
  JSON.stringify({
    lockfileVersion: 3,
    packages: {
      "": { name: "ours", dependencies: { one: asked } },
      "node_modules/one": one,
      "node_modules/one/node_modules/@some/other": FINE,
    },
  });

describe("the supply chain: package-lock.json", () => {
  for (const [file, atLeast] of [
    ["package-lock.json", 200],
    ["clients/console/package-lock.json", 10],
  ] as const)
    it(`${file} has a digest of each package, and no registry's address`, async () => {
      const text = await readFile(file, "utf8");
      assert.deepEqual(lockFaults(text), []);
      assert.ok(packagesOf(text).length > atLeast);
    });

  it("is read with the packages inside of others", () => {
    const names = packagesOf(lockOf(FINE)).map(({ name }) => name);
    assert.deepEqual(names, ["one", "@some/other"]);
    assert.deepEqual(lockFaults(lockOf(FINE)), []);
  });

  for (const [what, one, asked, fault] of [
    ["an address", { ...FINE, resolved: "https://r.test/one.tgz" }, "1.2.3", /^one: "resolved"/],
    ["a folder", { ...FINE, resolved: "../one", link: true }, "1.2.3", /^one: "resolved"/],
    ["no digest", { ...FINE, integrity: undefined }, "1.2.3", /^one: it has no sha-512/],
    ["a weak digest", { ...FINE, integrity: "sha1-AAAA" }, "1.2.3", /^one: it has no sha-512/],
    ["a repository", FINE, "git+ssh://git@git.test/one.git", /^one: git.* is no version/],
    ["any version", FINE, "*", /^one: \* is no version/],
  ] as const) {
    it(`must not have ${what}`, () => {
      const faults = lockFaults(lockOf(one, asked));
      assert.equal(faults.length, 1);
      assert.match(faults[0] ?? "", fault);
    });
  }
});
