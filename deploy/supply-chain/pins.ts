const REQUIREMENT = /^[\w.-]+(\[[\w,-]+\])?==\w[\w.!+]*( +--hash=sha256:[0-9a-f]{64})*$/;

/** Lines of a requirements file for pip that leave the version open. Empty: none. */
export const requirementFaults = (text: string): readonly string[] =>
  text
    .replaceAll("\\\n", "")
    .split("\n")
    .map((line) => line.replace(/(^|\s)#.*/, "").trim())
    .filter((line) => line !== "" && !REQUIREMENT.test(line));

const GO_MODULE =
  /\bgo(?: install|_program) [^\n]*@(?<install>[^\s"]+)|\bgomod: \S+ (?<module>\S+)/g;
const EXACT = /^v\d+\.\d+\.\d+$/;

/** Versions of Go modules in a script, or in a collector's builder.yaml, that are not exact ones; `$version` is what the script sets it to. */
export function goFaults(text: string): readonly string[] {
  const said = /^version=(\S+)$/m.exec(text)?.[1] ?? "";
  return [...text.matchAll(GO_MODULE)]
    .map(({ groups = {} }) => groups["install"] ?? groups["module"] ?? "")
    .map((version) => version.replace("$version", said))
    .filter((version) => !EXACT.test(version));
}

const IMAGE = /^ARG \w+_IMAGE=(?<named>\S+)|^FROM (?<base>\S+)(?: AS (?<stage>\S+))?$/gm;
/** NVIDIA's are of a month. */
const EXACT_IMAGE = /:(v?\d+\.\d+\.\d+(-[\w.-]+)?|\d\d\.\d\d-py3)(@sha256:[0-9a-f]{64})?$/;

/** Images that a Dockerfile builds on without saying exactly which. */
export function imageFaults(dockerfile: string): readonly string[] {
  const found = [...dockerfile.matchAll(IMAGE)].map(({ groups = {} }) => groups);
  const own = new Set(["scratch", ...found.map(({ stage }) => stage)]);
  return found
    .map(({ named, base }) => named ?? base ?? "")
    .filter((image) => !(own.has(image) || /^\$\{\w+_IMAGE\}$/.test(image)))
    .filter((image) => !EXACT_IMAGE.test(image));
}

const SERVICE_IMAGE = /^\s+image: (?:\$\{REGISTRY:-\})?(?<image>\S+)$/gm;
const CHART_IMAGE = /\bimage\("[^"]*", "(?<name>[^"]+)", "(?<tag>[^"]+)"/g;

/** Images of a compose file, or of a source of the chart's values, that are not named exactly. The chart's own have its version, and no tag. */
export function deployedFaults(text: string): readonly string[] {
  const services = [...text.matchAll(SERVICE_IMAGE)].map(({ groups }) => groups?.["image"] ?? "");
  const charts = [...text.matchAll(CHART_IMAGE)].map(
    ({ groups: { name = "", tag = "" } = {} }) => `${name}:${tag}`,
  );
  return [...services, ...charts].filter((image) => !EXACT_IMAGE.test(image));
}

const ACTION = /^\s*(?:- )?uses: (?<action>\S+)/gm;
const EXACT_ACTION = /^\.\/|@[0-9a-f]{40}$/;

/** Actions of a GitHub workflow that could be another's tomorrow: by a tag or a branch, not by a commit. */
export const actionFaults = (workflow: string): readonly string[] =>
  [...workflow.matchAll(ACTION)]
    .map(({ groups }) => groups?.["action"] ?? "")
    .filter((action) => !EXACT_ACTION.test(action));
