import { execFile } from "node:child_process";
import { readdirSync } from "node:fs";
import { basename, join } from "node:path";
import { promisify } from "node:util";
import { parseAllDocuments } from "yaml";

export const CHART = "deploy/helm/sentiment-analyzer-pro";
const MOST_OUTPUT_BYTES = 64 * 2 ** 20;

type Labels = Readonly<Record<string, unknown>>;

/** A part of what Kubernetes is to make; kubeconform looks at the rest. */
export interface Manifest {
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly labels?: Labels;
    readonly annotations?: Labels;
  };
  // biome-ignore lint/suspicious/noExplicitAny: each kind has its own, which kubeconform has checked.
  readonly spec: any;
  readonly data?: Readonly<Record<string, string>>;
}

/** Files with values that are to work, by what they are called. */
export const valuesFiles = (): ReadonlyMap<string, string> =>
  new Map(
    readdirSync(join(CHART, "ci")).map((name) => [
      basename(name, ".yaml"),
      join(CHART, "ci", name),
    ]),
  );

/** Rejects with what it says. Needs helm on the PATH. */
export const helm = async (...args: readonly string[]): Promise<string> =>
  (await promisify(execFile)("helm", args, { maxBuffer: MOST_OUTPUT_BYTES })).stdout;

export const helmTemplate = (release: string, args: readonly string[] = []): Promise<string> =>
  helm("template", release, CHART, "--namespace", "reviews", ...args);

/** What the chart makes of these values. */
export const manifests = async (
  release: string,
  args: readonly string[] = [],
): Promise<readonly Manifest[]> => manifestsOf(await helmTemplate(release, args));

/** Read as Kubernetes does: in YAML 1.1 a bare `y` is a boolean. */
export const manifestsOf = (text: string): readonly Manifest[] =>
  parseAllDocuments(text, { version: "1.1" })
    .map((document) => document.toJS() as Manifest | null)
    .filter((manifest) => manifest !== null);

export const ofKind = (all: readonly Manifest[], ...kinds: readonly string[]) =>
  all.filter(({ kind }) => kinds.includes(kind));

/** The pods that a Deployment makes, or a pod itself. */
export const podsOf = (all: readonly Manifest[]) =>
  ofKind(all, "Deployment", "Pod").map(({ kind, metadata, spec }) => ({
    name: metadata.name,
    labels: (kind === "Pod" ? metadata.labels : spec.template.metadata.labels) as Labels,
    spec: kind === "Pod" ? spec : spec.template.spec,
  }));

export type Pod = ReturnType<typeof podsOf>[number];

export const selects = (labels: Labels, pod: { readonly labels?: Labels }) =>
  Object.entries(labels).every(([name, value]) => pod.labels?.[name] === value);
