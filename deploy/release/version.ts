/**
 * The version is package.json's; these are the other files that have to name it, since their tools read it there.
 *
 *   make version VERSION=0.2.0
 */
import { readFile, writeFile } from "node:fs/promises";

interface Place {
  readonly file: string;
  /** What it stands between: each first match of the group `version` is one. */
  readonly at: readonly RegExp[];
}

const NPM_LOCK = [
  /^ {2}"version": "(?<version>[^"]+)"/m,
  /^ {4}"": \{\n {6}"name": "[^"]+",\n {6}"version": "(?<version>[^"]+)"/m,
];
const TOML = [/^version = "(?<version>[^"]+)"/m];
const JSON_FILE = [/^ {2}"version": "(?<version>[^"]+)"/m];

const IMAGES = [
  /sentiment-analyzer-pro:(?<version>[\w.-]+)$/m,
  /sentiment-gateway:(?<version>[\w.-]+)$/m,
];
const COMPOSED = [
  ...IMAGES,
  /docker\/Dockerfile\n +args: \{ VERSION: (?<version>[\w.-]+) \}/,
  /docker\/gateway\.Dockerfile\n +args: \{ VERSION: (?<version>[\w.-]+) \}/,
];

export const PLACES: readonly Place[] = [
  { file: "package.json", at: JSON_FILE },
  { file: "package-lock.json", at: NPM_LOCK },
  { file: "clients/console/package.json", at: JSON_FILE },
  { file: "clients/console/package-lock.json", at: NPM_LOCK },
  { file: "clients/go/client.go", at: [/^const Version = "(?<version>[^"]+)"/m] },
  { file: "clients/python/pyproject.toml", at: TOML },
  { file: "clients/spark/pyproject.toml", at: TOML },
  { file: "clients/rust/Cargo.toml", at: TOML },
  {
    file: "clients/rust/Cargo.lock",
    at: [/^name = "sentiment-client"\nversion = "(?<version>[^"]+)"/m],
  },
  { file: "clients/java/pom.xml", at: [/^ {2}<version>(?<version>[^<]+)<\/version>/m] },
  {
    file: "deploy/helm/sentiment-analyzer-pro/Chart.yaml",
    at: [/^version: (?<version>.+)$/m, /^appVersion: "(?<version>.+)"$/m],
  },
  { file: "deploy/docker/compose.yaml", at: COMPOSED },
  { file: "deploy/swarm/stack.yaml", at: IMAGES },
  { file: "clients/java/README.md", at: [/dev\.sentiment:sentiment-client:(?<version>[\w.-]+\w)/] },
  {
    file: "clients/node/README.md",
    at: [
      /make `sentiment-analyzer-pro-(?<version>[\w.-]+)\.tgz`/,
      /npm install \.\/sentiment-analyzer-pro-(?<version>[\w.-]+)\.tgz/,
    ],
  },
];

const VERSION = /^\d+\.\d+\.\d+(-[\w.]+)?$/;
const UNRELEASED = "## Unreleased\n";

/** What the text names at each of the places; throws where one is not there. */
export function versionsIn(text: string, { file, at }: Place): readonly string[] {
  return at.map((pattern) => {
    const version = pattern.exec(text)?.groups?.["version"];
    if (version === undefined) throw new Error(`${file} names no version as ${pattern}`);
    return version;
  });
}

/** The text with `version` at each of the places. */
export function withVersion(text: string, place: Place, version: string): string {
  versionsIn(text, place);
  return place.at.reduce(
    (changed, pattern) =>
      changed.replace(pattern, (found, old: string) => {
        const from = found.lastIndexOf(old);
        return `${found.slice(0, from)}${version}${found.slice(from + old.length)}`;
      }),
    text,
  );
}

/** The changelog with what was unreleased as that version's; `day` as 2026-11-26. */
export function withRelease(changelog: string, version: string, day: string): string {
  if (!changelog.includes(UNRELEASED)) throw new Error("CHANGELOG.md has no section Unreleased");
  return changelog.replace(UNRELEASED, `${UNRELEASED}\n## ${version} (${day})\n`);
}

/** What the changelog says of a version; throws where it says nothing. */
export function notesOf(changelog: string, version: string): string {
  const [, section] = changelog.split(`\n## ${version} (`);
  const notes = section?.slice(section.indexOf("\n")).split("\n## ")[0]?.trim();
  if (!notes) throw new Error(`CHANGELOG.md says nothing of ${version}: run make version first`);
  return notes;
}

async function release(version: string): Promise<void> {
  if (!VERSION.test(version)) throw new Error(`"${version}" is no version, as 1.2.3`);
  for (const place of PLACES)
    await writeFile(place.file, withVersion(await readFile(place.file, "utf8"), place, version));
  const day = new Date().toISOString().slice(0, "2026-11-26".length);
  const changelog = await readFile("CHANGELOG.md", "utf8");
  await writeFile("CHANGELOG.md", withRelease(changelog, version, day));
}

const [, script, what, version] = process.argv;
if (script?.endsWith("version.js") && version !== undefined) {
  if (what === "set") await release(version);
  else process.stdout.write(`${notesOf(await readFile("CHANGELOG.md", "utf8"), version)}\n`);
}
