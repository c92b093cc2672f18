/**
 * The bill of materials of what is shipped, as CycloneDX: the packages as npm itself tells them, and the models with their digests.
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

const MODELS = "triton-model-repo";
/** Of the lock file, so that it is the same on every machine: packages for other platforms are in it too. */
const NPM = "sbom --sbom-format=cyclonedx --sbom-type=application --package-lock-only";
const MOST_BYTES = 2 ** 26;
/** `--omit=dev` (npm 11.19) also leaves out what is shipped where a package of the development needs it as well; this mark is right. */
const DEVELOPMENT = "cdx:npm:package:development";

interface Component {
  readonly "bom-ref": string;
  readonly name: string;
  readonly properties?: readonly { readonly name: string }[];
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

/** The bill of `name` without what only its development needs, and with the models as further parts of it. */
function shipped(bom: Bom, name: string, models: readonly ModelFiles[]): Bom {
  const own = { ...bom.metadata.component, name };
  const added = models.map(componentOf);
  const components = [...bom.components.filter(isShipped), ...added];
  const refs = new Set([own, ...components].map((component) => component["bom-ref"]));
  const needs = (ref: string, dependsOn: readonly string[] = []) => [
    ...dependsOn.filter((needed) => refs.has(needed)),
    ...(ref === own["bom-ref"] ? added.map((model) => model["bom-ref"]) : []),
  ];
  return {
    ...bom,
    // npm takes the folder's name.
    metadata: { ...bom.metadata, component: own },
    components,
    dependencies: [...bom.dependencies, ...added.map((model) => ({ ref: model["bom-ref"] }))]
      .filter(({ ref }) => refs.has(ref))
      .map(({ ref, dependsOn }: Bom["dependencies"][number]) => ({
        ref,
        dependsOn: needs(ref, dependsOn),
      })),
  };
}

const isShipped = ({ properties = [] }: Component): boolean =>
  !properties.some(({ name }) => name === DEVELOPMENT);

const hashes = (sha256: string) => [{ alg: "SHA-256", content: sha256 }];

const componentOf = ({ name, served, tokenizerDigest }: ModelFiles) => ({
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
});

const [, script, path] = process.argv;
if (script?.endsWith("write-sbom.js") && path !== undefined) {
  const { stdout } = await promisify(execFile)("npm", NPM.split(" "), { maxBuffer: MOST_BYTES });
  const { name } = JSON.parse(await readFile("package.json", "utf8"));
  const bom = shipped(JSON.parse(stdout), name, await readRepository(MODELS));
  await writeFile(path, `${JSON.stringify(bom, undefined, 2)}\n`);
}
