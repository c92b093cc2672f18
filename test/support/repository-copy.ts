import { appendFile, cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Tier } from "../../server/core/tiers.js";

export interface RepositoryCopy extends AsyncDisposable {
  readonly folder: string;
  /** A file or folder of the tier's model. */
  at(tier: Tier, name: string): string;
  addParameter(tier: Tier, key: string, value: string): Promise<void>;
  /** Throws where the model has no such parameter. */
  setParameter(tier: Tier, key: string, value: string): Promise<void>;
}

/** A model repository of its own, to be changed: the committed models of these tiers. */
export async function repositoryCopy(...tiers: readonly Tier[]): Promise<RepositoryCopy> {
  const folder = await mkdtemp(join(tmpdir(), "sentiment-models-"));
  const at = (tier: Tier, name: string) => join(folder, `sentiment_${tier}`, name);
  for (const tier of tiers) {
    await cp(`triton-model-repo/sentiment_${tier}`, at(tier, ""), { recursive: true });
  }
  return {
    folder,
    at,
    addParameter: (tier, key, value) =>
      appendFile(
        at(tier, "config.pbtxt"),
        `parameters { key: "${key}" value: { string_value: "${value}" } }\n`,
      ),
    async setParameter(tier, key, value) {
      const path = at(tier, "config.pbtxt");
      const config = await readFile(path, "utf8");
      const now = new RegExp(`(?<=key: "${key}" value: \\{ string_value: ")[^"]*`);
      if (!now.test(config)) throw new Error(`${path} has no parameter ${key}`);
      await writeFile(path, config.replace(now, value));
    },
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true }),
  };
}
