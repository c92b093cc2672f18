/**
 * The bill of materials of what is shipped, as CycloneDX: the packages as npm itself tells them, the models with their digests, and the REST bridge with
 * its Go modules and the packages of the page in it.
 *
 *   make sbom
 */
import { execFile } from "node:child_process";
import { readFile, writeFile } from "node:fs/promises";
import { promisify } from "node:util";
import {
  type ModelFiles,
  readRepository,
} from "../../server/backend/repository/model-repository.js";
import { type GoProgram, goLicences, goPrograms } from "./go-modules.js";

const MODELS = "triton-model-repo";
/** The Go client is a library: who builds with it takes modules of its own, and what its tests need is not shipped. */
const BRIDGE = "clients/gateway";
const CONSOLE = "clients/console";
/** Of the lock file, so that it is the same on every machine: packages for other platforms are in it too. */
const NPM = "sbom --sbom-format=cyclonedx --sbom-type=application --package-lock-only";
const MOST_BYTES = 2 ** 26;
/** `--omit=dev` (npm 11.19) also leaves out what is shipped where a package of the development needs it as well; this mark is right. */
const DEVELOPMENT = "cdx:npm:package:development";

interface Component {
  readonly "bom-ref": string;
  readonly name: string;
  readonly properties?: readonly { readonly name: string }[];
  readonly [more: string]: unknown;
}

/** The parts of a bill that are changed. */
interface Bom {
  readonly metadata: { readonly component: Component };
  readonly components: readonly Component[];
  readonly dependencies: readonly {
    readonly ref: string;
    readonly dependsOn?: readonly string[];
  }[];
}

/** A part of what is shipped, and what it has in it. */
interface Part {
  readonly component: Component;
  readonly needs: readonly Component[];
}

/** The bill of `name` without what only its development needs, and with these as further parts of it. */
function shipped(bom: Bom, name: string, parts: readonly Part[]): Bom {
  const own = { ...bom.metadata.component, name };
  const added = new Map(
    parts
      .flatMap(({ component, needs }) => [component, ...needs])
      .map((component) => [component["bom-ref"], component]),
  );
  const components = [...bom.components.filter(isShipped), ...added.values()];
  const refs = new Set([own, ...components].map((component) => component["bom-ref"]));
  const needed = new Map(
    parts.map(({ component, needs }) => [component["bom-ref"], refsOf(needs)]),
  );
  const needs = (ref: string, dependsOn: readonly string[] = []) => [
    ...dependsOn.filter((other) => refs.has(other)),
    ...(ref === own["bom-ref"] ? needed.keys() : []),
  ];
  return {
    ...bom,
    // npm takes the folder's name.
    metadata: { ...bom.metadata, component: own },
    components,
    dependencies: [
      ...bom.dependencies,
      ...[...added.keys()].map((ref) => ({ ref, dependsOn: needed.get(ref) ?? [] })),
    ]
      .filter(({ ref }) => refs.has(ref))
      .map(({ ref, dependsOn }: Bom["dependencies"][number]) => ({
        ref,
        dependsOn: needs(ref, dependsOn),
      })),
  };
}

const refsOf = (components: readonly Component[]) => components.map((one) => one["bom-ref"]);

const isShipped = ({ properties = [] }: Component): boolean =>
  !properties.some(({ name }) => name === DEVELOPMENT);

const hashes = (sha256: string) => [{ alg: "SHA-256", content: sha256 }];

/** As npm tells it of the lock file in that folder. */
async function bomOf(folder: string): Promise<Bom> {
  const options = { cwd: folder, maxBuffer: MOST_BYTES };
  const { stdout } = await promisify(execFile)("npm", NPM.split(" "), options);
  return JSON.parse(stdout);
}

const pagePart = ({ metadata, components }: Bom): Part => {
  const { "bom-ref": ref } = metadata.component;
  return {
    component: {
      type: "application",
      "bom-ref": CONSOLE,
      name: ref.slice(0, ref.lastIndexOf("@")),
    },
    needs: components.filter(isShipped),
  };
};

const modelPart = ({ name, served, tokenizerDigest }: ModelFiles): Part => ({
  component: {
    type: "machine-learning-model",
    "bom-ref": `${name}@${served.version}`,
    name,
    version: String(served.version),
    hashes: hashes(served.digest),
    components: [
      {
        type: "file",
        "bom-ref": `${name}@${served.version}/tokenizer.json`,
        name: "tokenizer.json",
        hashes: hashes(tokenizerDigest),
      },
    ],
  },
  needs: [],
});

const goPart =
  (licences: Readonly<Record<string, string>>) =>
  ({ folder, path, modules }: GoProgram): Part => ({
    component: { type: "application", "bom-ref": folder, name: path },
    needs: modules.map(({ path, version, sha256 }) => ({
      type: "library",
      "bom-ref": `${path}@${version}`,
      name: path,
      version,
      purl: `pkg:golang/${path}@${version}`,
      hashes: hashes(sha256),
      licenses: licenceOf(licences[path] ?? "NONE"),
    })),
  });

const licenceOf = (expression: string) =>
  expression.includes(" ") ? [{ expression }] : [{ license: { id: expression } }];

const [, script, path] = process.argv;
if (script?.endsWith("write-sbom.js") && path !== undefined) {
  const [server, page] = await Promise.all([".", CONSOLE].map(bomOf));
  if (server === undefined || page === undefined) throw new Error("npm told of no packages");
  const { name } = JSON.parse(await readFile("package.json", "utf8"));
  const models = (await readRepository(MODELS)).map(modelPart);
  const programs = (await goPrograms()).filter(({ folder }) => folder === BRIDGE);
  const linked = programs.map(goPart(await goLicences()));
  const bom = shipped(server, name, [...models, ...linked, pagePart(page)]);
  await writeFile(path, `${JSON.stringify(bom, undefined, 2)}\n`);
}
