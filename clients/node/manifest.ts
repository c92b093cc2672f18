/**
 * `node manifest.js FOLDER`: of package.json what the files of the folder need, for pack.sh. The server's dependencies would be hundreds
 * of megabytes for whoever only asks it.
 */
import { globSync, readFileSync } from "node:fs";

const [folder = "."] = process.argv.slice(2);
const read = (file: string) => readFileSync(file, "utf8");
const { name, version, license, type, exports, bin, dependencies } = JSON.parse(
  read("package.json"),
);
const OPTIONAL = "@opentelemetry/api";

const imported = globSync(`${folder}/dist/**/*.js`)
  .flatMap((file) => [...read(file).matchAll(/ from "([^".]+[^"]*)"/g)])
  .map(([, path = ""]) => path)
  .filter((path) => !path.startsWith("node:"))
  .map((path) => path.split("/", path.startsWith("@") ? 2 : 1).join("/"));

process.stdout.write(
  `${JSON.stringify(
    {
      name,
      version,
      description: "Client and command line of Sentiment Analyzer Pro, a gRPC server for sentiment",
      license,
      type,
      engines: { node: ">=20" },
      bin: { sentiment: bin.sentiment },
      exports,
      dependencies: Object.fromEntries(
        [...new Set(imported)].toSorted().map((one) => [one, dependencies[one]]),
      ),
      peerDependencies: { [OPTIONAL]: "^1.9.0" },
      peerDependenciesMeta: { [OPTIONAL]: { optional: true } },
    },
    undefined,
    2,
  )}\n`,
);
