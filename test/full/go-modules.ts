/** What go.mod, go.sum and go-licences.json say of the Go modules, against the built bridge and the modules' own files. Needs Go, and `make gateway` before. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { type GoModule, goLicences, goPrograms } from "../../deploy/supply-chain/go-modules.js";

/** What each licence says and no other that is allowed does. */
const WORDS: Readonly<Record<string, (text: string) => boolean>> = {
  "Apache-2.0": (text) => /Apache License\s+Version 2\.0/.test(text),
  MIT: (text) => text.includes("Permission is hereby granted, free of charge"),
  "BSD-3-Clause": (text) => text.includes("Redistribution and use") && isThird(text),
  "BSD-2-Clause": (text) => text.includes("Redistribution and use") && !isThird(text),
};
const isThird = (text: string) => /Neither the names? of/.test(text);

const go = (folder: string, ...args: readonly string[]) =>
  execFileSync("go", args, { cwd: folder, encoding: "utf8" });

/** By the texts in the module's top folder. */
function licencesIn(folder: string, { path, version }: GoModule): readonly string[] {
  const { Dir } = JSON.parse(go(folder, "mod", "download", "-json", `${path}@${version}`));
  const files = readdirSync(Dir).filter((name) => /^(licen[cs]e|copying)/i.test(name));
  const text = files.map((name) => readFileSync(join(Dir, name), "utf8")).join("\n");
  return Object.keys(WORDS).filter((name) => WORDS[name]?.(text));
}

const programs = await goPrograms();
const licences = await goLicences();

describe("the Go modules", function () {
  this.timeout(120_000);

  it("of the bridge are those that are linked into it, and their digests are", () => {
    const linked = go(".", "version", "-m", "build/sentiment-gateway")
      .split("\n")
      .map((line) => line.trim().split("\t"))
      .filter(([kind, path]) => kind === "dep" && !path?.startsWith("sentiment-analyzer-pro/"))
      .map(([, path, version, sum = ""]) => {
        const sha256 = Buffer.from(sum.slice("h1:".length), "base64").toString("hex");
        return { path, version, sha256 };
      });
    const bridge = programs.find(({ folder }) => folder === "clients/gateway");
    const byPath = (one: { path?: string | undefined }, other: { path?: string | undefined }) =>
      String(one.path).localeCompare(String(other.path));
    assert.deepEqual(linked.toSorted(byPath), bridge?.modules.toSorted(byPath));
  });

  for (const { folder, modules } of programs)
    for (const module of modules)
      it(`${folder}: ${module.path} has the licence that is told of it`, () => {
        const told = licences[module.path]?.split(" AND ");
        assert.deepEqual(licencesIn(folder, module).toSorted(), told?.toSorted());
      });
});
