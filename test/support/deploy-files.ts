import { globSync, readFileSync } from "node:fs";
import { basename } from "node:path";
import { parse } from "yaml";
import { Settings } from "../../server/settings.js";

type Environment = Readonly<Record<string, string>>;

/** Who reads variables, by the name that compose and stack files have for it. */
export type Reader = "sentiment" | "gateway";

/** What a file sets for one of them. */
export interface Named {
  readonly file: string;
  readonly reader: Reader;
  readonly environment: Environment;
}

const READERS: readonly Reader[] = ["sentiment", "gateway"];
/** `${NAME:-standard}` is its standard, as for who sets nothing. */
const VARIABLE = /\$\{\w+:-([^}]*)\}/g;
const ENV = /^ENV ((?:.*\\\n)*.*)$/gm;
const PAIR = /(\w+)=("[^"]*"|\S+)/g;

/** All that compose files, stacks and Dockerfiles set for the server and the bridge. */
export const namedSettings = (): readonly Named[] => [
  ...globSync("deploy/{docker,swarm}/*.yaml")
    .toSorted()
    .flatMap((file) => ofServices(file)),
  ...globSync("deploy/docker/*Dockerfile").toSorted().map(ofDockerfile),
];

export function ofServices(file: string): readonly Named[] {
  const { services } = readYaml(file) as {
    services?: Partial<Record<Reader, { environment?: Environment }>>;
  };
  return READERS.flatMap((reader) => {
    const environment = services?.[reader]?.environment;
    return environment === undefined ? [] : [{ file, reader, environment }];
  });
}

/** Of its last stage: what the others have is not in the image. */
function ofDockerfile(file: string): Named {
  const stage =
    readFileSync(file, "utf8")
      .split(/^FROM /m)
      .at(-1) ?? "";
  const lines = [...stage.matchAll(ENV)].map(([, text = ""]) => text);
  const pairs = lines.flatMap((text) => [...text.matchAll(PAIR)]);
  const environment = Object.fromEntries(
    pairs.map(([, name = "", value = ""]) => [name, value.replace(/^"|"$/g, "")]),
  );
  return {
    file,
    reader: basename(file) === "Dockerfile" ? "sentiment" : "gateway",
    environment,
  };
}

/** Tags such as Compose's `!reset` are passed over. */
export const readYaml = (file: string): unknown =>
  parse(readFileSync(file, "utf8").replace(VARIABLE, "$1"), { merge: true, logLevel: "error" });

/** What a Helm chart names where an environment has a name: `- name: NAME`, or `NAME:` of a map. Those that others are made of, as in `$(NAME)`, are for nobody else. */
export function chartNames(text: string): readonly string[] {
  const places = /^\s*(?:- )?(?:name: "?([A-Z][A-Z0-9_]{2,})"?\s*$|"?([A-Z][A-Z0-9_]{2,})"?:)/gm;
  return [...text.matchAll(places)]
    .map(([, name, key]) => name ?? key ?? "")
    .filter((name) => !text.includes(`$(${name})`));
}

/** What the values of a chart set for the server: in any map but the bridge's own, by names as variables have them. */
export function chartEnvironment(values: unknown): Environment {
  if (typeof values !== "object" || values === null) return {};
  const parts = Object.entries(values).map(([name, value]): Environment => {
    if (name === "gateway") return {};
    return /^[A-Z][A-Z0-9_]{2,}$/.test(name) ? { [name]: String(value) } : chartEnvironment(value);
  });
  return Object.assign({}, ...parts);
}

/** What the bridge's own code asks its environment for. */
export function gatewaySettings(): ReadonlySet<string> {
  const code = readFileSync("clients/gateway/config.go", "utf8");
  return new Set([...code.matchAll(/\benv\.\w+\("([A-Z_]+)"/g)].map(([, name = ""]) => name));
}

export const serverSettings = (): ReadonlySet<string> => new Set(Object.keys(Settings.shape));
