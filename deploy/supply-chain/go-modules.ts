import { globSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";

/** A module that may be linked into a Go program of ours. */
export interface GoModule {
  readonly path: string;
  readonly version: string;
  /** SHA-256 over the digests of its files, in hex; go.sum has it as `h1:`. */
  readonly sha256: string;
}

export interface GoProgram {
  /** Its folder in the tree. */
  readonly folder: string;
  /** Its own module's path. */
  readonly path: string;
  readonly modules: readonly GoModule[];
}

const REQUIRED = /^require (?:\((?<block>[^)]*)\)|(?<line>.+))/gm;
const MODULE = /^\s*(?<path>\S+) (?<version>v\S+)/gm;
/** By a folder of this tree: it is ours, and go.sum has no digest of it. */
const IN_TREE = /^replace (?<path>\S+) => \.\.?\//gm;

/** All Go programs below clients/, by their go.mod and go.sum: no Go is needed for it. */
export async function goPrograms(): Promise<readonly GoProgram[]> {
  const folders = globSync("clients/*/go.mod").map(dirname).toSorted();
  return Promise.all(
    folders.map(async (folder) => {
      const [mod, sum] = await Promise.all(
        ["go.mod", "go.sum"].map((name) => readFile(join(folder, name), "utf8")),
      );
      const path = /^module (\S+)/m.exec(mod ?? "")?.[1] ?? folder;
      return { folder, path, modules: modulesOf(mod ?? "", sum ?? "") };
    }),
  );
}

/** The modules of others that go.mod requires, those that only others of them need too. Throws where go.sum knows no digest of one. */
export function modulesOf(mod: string, sum: string): readonly GoModule[] {
  const required = [...mod.matchAll(REQUIRED)].map(
    ({ groups = {} }) => groups["block"] ?? groups["line"] ?? "",
  );
  const ours = new Set([...mod.matchAll(IN_TREE)].map(({ groups }) => groups?.["path"]));
  return required
    .flatMap((text) => [...text.matchAll(MODULE)])
    .filter(({ groups }) => !ours.has(groups?.["path"]))
    .map(({ groups: { path = "", version = "" } = {} }) => {
      const line = sum.split("\n").find((one) => one.startsWith(`${path} ${version} h1:`));
      if (line === undefined)
        throw new Error(`${path} ${version} is not in go.sum: run go mod tidy`);
      const digest = line.slice(line.indexOf("h1:") + "h1:".length);
      return { path, version, sha256: Buffer.from(digest, "base64").toString("hex") };
    });
}

/** The licence of each module, as an SPDX expression: read by a person, and compared with the modules' own files by test/full/go-modules.ts. */
export async function goLicences(): Promise<Readonly<Record<string, string>>> {
  return JSON.parse(await readFile("deploy/supply-chain/go-licences.json", "utf8"));
}
