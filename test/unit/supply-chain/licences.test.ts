import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { LicenceRules, licenceFaults } from "../../../deploy/supply-chain/licences.js";
import { packagesOf } from "../../../deploy/supply-chain/lock-file.js";

const RULES = {
  allowed: ["MIT", "Apache-2.0"],
  exceptions: { odd: { licence: "PSF-2.0", why: "it is permissive" } },
};
const LOCKS = ["package-lock.json", "clients/console/package-lock.json"];
const ODD = { name: "odd", license: "PSF-2.0" };

const faultsOf = (license: string | undefined) =>
  licenceFaults([ODD, { name: "one", license }], RULES);

describe("the supply chain: licences", () => {
  it("of all packages are allowed (deploy/supply-chain/licences.json)", async () => {
    const rules = JSON.parse(await readFile("deploy/supply-chain/licences.json", "utf8"));
    const locks = await Promise.all(LOCKS.map((file) => readFile(file, "utf8")));
    assert.deepEqual(licenceFaults(locks.flatMap(packagesOf), LicenceRules.parse(rules)), []);
  });

  for (const license of ["MIT", "(MIT OR GPL-3.0-only)", "(GPL-3.0-only OR (MIT AND Apache-2.0))"])
    it(`${license} is allowed`, () => assert.deepEqual(faultsOf(license), []));

  for (const license of [
    "GPL-3.0-only",
    "MIT AND GPL-3.0-only",
    "Apache-2.0 WITH LLVM-exception",
    "PSF-2.0",
    "SEE LICENSE IN LICENSE.md",
    "UNLICENSED",
    undefined,
  ])
    it(`${license ?? "no licence"} is not, but for a package that it is an exception for`, () => {
      assert.deepEqual(faultsOf(license), [`one: ${license ?? "no licence"} is not allowed`]);
    });

  it("that an exception speaks of must be those of its package", () => {
    const others = [{ name: "odd", license: "GPL-3.0-only" }];
    assert.deepEqual(licenceFaults(others, RULES), [
      "odd: GPL-3.0-only is not allowed",
      "odd: no package needs this exception",
    ]);
    const unneeded = ["odd: no package needs this exception"];
    assert.deepEqual(licenceFaults([], RULES), unneeded);
    assert.deepEqual(licenceFaults([{ name: "odd", license: "MIT" }], RULES), unneeded);
  });
});
