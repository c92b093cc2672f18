import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { type ScratchFolder, scratchFolder } from "../support/scratch-folder.js";
import { start } from "../support/server-process.js";

const Hash = z.discriminatedUnion("alg", [
  z.object({ alg: z.literal("SHA-512"), content: z.string().regex(/^[0-9a-f]{128}$/) }),
  z.object({ alg: z.literal("SHA-256"), content: z.string().regex(/^[0-9a-f]{64}$/) }),
]);
const Named = z.object({ "bom-ref": z.string().min(1), name: z.string().min(1) });
const Package = Named.extend({
  type: z.literal("library"),
  version: z.string().min(1),
  purl: z.string().regex(/^pkg:(npm|golang)\//),
  hashes: z.array(Hash).min(1),
  licenses: z.array(z.unknown()).min(1),
});
const Model = Named.extend({
  type: z.literal("machine-learning-model"),
  version: z.string().regex(/^\d+$/),
  hashes: z.array(Hash).length(1),
  components: z.array(Named.extend({ type: z.literal("file"), hashes: z.array(Hash).length(1) })),
});
const Program = Named.extend({ type: z.literal("application") });
/** What CycloneDX 1.5 wants of a bill, and what is wanted of this one besides. */
const Bom = z.object({
  bomFormat: z.literal("CycloneDX"),
  specVersion: z.literal("1.5"),
  version: z.int().positive(),
  serialNumber: z.string().regex(/^urn:uuid:[0-9a-f-]{36}$/),
  metadata: z.object({
    timestamp: z.iso.datetime(),
    component: Named.extend({ type: z.literal("application"), version: z.string() }),
  }),
  components: z.array(z.discriminatedUnion("type", [Package, Model, Program])),
  dependencies: z.array(z.object({ ref: z.string(), dependsOn: z.array(z.string()) })),
});

describe("make sbom", function () {
  this.timeout(60_000);
  let folder: ScratchFolder;
  let text: string;
  let bom: z.infer<typeof Bom>;
  before(async () => {
    folder = await scratchFolder();
    const file = join(folder.path, "sbom.cdx.json");
    const made = start(`node dist/deploy/supply-chain/write-sbom.js ${file}`);
    const { code, stderr } = await made.ended;
    assert.equal(code, 0, stderr);
    text = await readFile(file, "utf8");
    bom = Bom.parse(JSON.parse(text));
  });
  after(() => folder[Symbol.asyncDispose]());

  it("lists what is shipped, with licences and digests, and nothing that only development needs", async () => {
    const { name, packages } = JSON.parse(await readFile("package-lock.json", "utf8"));
    const page = JSON.parse(await readFile("clients/console/package-lock.json", "utf8"));
    assert.equal(bom.metadata.component.name, name);
    const installed = [packages, page.packages]
      .flatMap((some) => Object.entries<{ version: string; dev?: true }>(some))
      .filter(([place, { dev }]) => place !== "" && !dev)
      .map(([place, { version }]) => `${place.split("node_modules/").at(-1)}@${version}`);
    const listed = bom.components
      .filter((one) => one.type === "library")
      .filter(({ purl }) => purl.startsWith("pkg:npm/"))
      .map((one) => `${one.name}@${one.version}`);
    assert.deepEqual(listed.toSorted(), [...new Set(installed)].toSorted());
  });

  it("lists the models with the digests of their files", async () => {
    const models = bom.components.filter((one) => one.type === "machine-learning-model");
    assert.deepEqual(
      models.map(({ name }) => name),
      ["sentiment_fast", "sentiment_balanced", "sentiment_accurate"],
    );
    for (const { name, hashes, components } of models) {
      const config = await readFile(`triton-model-repo/${name}/config.pbtxt`, "utf8");
      for (const { content } of [...hashes, ...components.flatMap((file) => file.hashes)])
        assert.ok(config.includes(content), `${name}: ${content}`);
    }
  });

  it("lists the REST bridge with all the modules of its go.mod but the one of this tree", async () => {
    const mod = await readFile("clients/gateway/go.mod", "utf8");
    const own = "sentiment-analyzer-pro/clients/go";
    assert.ok(mod.includes(`\nreplace ${own} => ../go\n`));
    const required = [...mod.matchAll(/^\t(\S+) (v\S+)/gm)]
      .filter(([, name]) => name !== own)
      .map(([, name, at]) => `${name}@${at}`);
    assert.ok(required.length >= 15);
    const needs = bom.dependencies.find(({ ref }) => ref === "clients/gateway")?.dependsOn ?? [];
    assert.deepEqual(needs.toSorted(), required.toSorted());
    const grpc = bom.components.find(({ name }) => name === "google.golang.org/grpc");
    assert.deepEqual(grpc?.type === "library" && grpc.licenses, [
      { license: { id: "Apache-2.0" } },
    ]);
  });

  it("lists the page in it with the packages that are no development's", () => {
    const needs = bom.dependencies.find(({ ref }) => ref === "clients/console")?.dependsOn ?? [];
    assert.equal(needs.length, 1);
    assert.match(needs[0] ?? "", /^preact@\d/);
  });

  it("says what needs what, of all that is listed and of nothing else", () => {
    const { component } = bom.metadata;
    const listed = new Set([component, ...bom.components].map((one) => one["bom-ref"]));
    const refs = new Set(bom.dependencies.map(({ ref }) => ref));
    assert.deepEqual([...refs].toSorted(), [...listed].toSorted());
    for (const { ref, dependsOn } of bom.dependencies)
      for (const needed of dependsOn) assert.ok(listed.has(needed), `${ref}: ${needed}`);
    const own = bom.dependencies.find(({ ref }) => ref === component["bom-ref"]);
    assert.ok(own?.dependsOn.some((ref) => ref.startsWith("sentiment_fast@")));
  });

  it("names no folder of this machine and no registry", () => {
    for (const place of [process.cwd(), process.env["HOME"] ?? "/root", "registry.", ".tgz"])
      assert.ok(!text.includes(place), place);
  });
});
