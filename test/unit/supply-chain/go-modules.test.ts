import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import {
  type GoModule,
  goLicences,
  goPrograms,
  modulesOf,
} from "../../../deploy/supply-chain/go-modules.js";
import { LicenceRules, licenceFaults } from "../../../deploy/supply-chain/licences.js";

const DIGEST = Buffer.alloc(32, 7);
const sumOf = (...lines: readonly string[]) =>
  lines.map((line) => `${line} h1:${DIGEST.toString("base64")}\n`).join("");

describe("the supply chain: Go modules", () => {
  let modules: readonly GoModule[];
  before(async () => {
    modules = (await goPrograms()).flatMap((program) => program.modules);
  });

  it("of the REST bridge are found, each with its digest", async () => {
    const [bridge] = (await goPrograms()).filter(({ folder }) => folder === "clients/gateway");
    assert.equal(bridge?.path, "sentiment-analyzer-pro/clients/gateway");
    const names = bridge.modules.map(({ path }) => path);
    for (const needed of ["google.golang.org/grpc", "golang.org/x/net"])
      assert.ok(names.includes(needed), needed);
    assert.ok(names.length >= 15);
    for (const { path, sha256 } of modules) assert.match(sha256, /^[0-9a-f]{64}$/, path);
  });

  it("have licences that are allowed, and no licence is told of one that is not there", async () => {
    const { allowed } = LicenceRules.parse(
      JSON.parse(await readFile("deploy/supply-chain/licences.json", "utf8")),
    );
    const licences = await goLicences();
    const named = modules.map(({ path }) => ({ name: path, license: licences[path] }));
    assert.deepEqual(licenceFaults(named, { allowed, exceptions: {} }), []);
    const needed = new Set(modules.map(({ path }) => path));
    assert.deepEqual(
      Object.keys(licences).filter((path) => !needed.has(path)),
      [],
    );
  });

  it("are read from lines and blocks, those that only others need too, and none of our own", () => {
    const mod = `module ours\n\ngo 1.26.0\n\nrequire a.test/one v1.2.3\n\nrequire (\n\tb.test/two/v2 v2.0.0-rc.1\n\tc.test/three v0.0.0-20261019180522-ce908d29299b // indirect\n)\n\nexclude d.test/four v1.0.0\n\nrequire ours/other v0.0.0\n\nreplace ours/other => ../other\n`;
    const wanted = [
      ["a.test/one", "v1.2.3"],
      ["b.test/two/v2", "v2.0.0-rc.1"],
      ["c.test/three", "v0.0.0-20261019180522-ce908d29299b"],
    ] as const;
    const sum = sumOf(...wanted.map((one) => one.join(" ")));
    assert.deepEqual(
      modulesOf(mod, sum),
      wanted.map(([path, version]) => ({ path, version, sha256: DIGEST.toString("hex") })),
    );
  });

  it("must be in go.sum with what is in them, not with their go.mod alone", () => {
    const mod = "require a.test/one v1.2.3\n";
    for (const sum of ["", sumOf("a.test/one v1.2.3/go.mod"), sumOf("a.test/one v1.2.4")])
      assert.throws(() => modulesOf(mod, sum), /^Error: a\.test\/one v1\.2\.3 is not in go\.sum/);
  });
});
