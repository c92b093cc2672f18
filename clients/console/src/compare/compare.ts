import { analyze } from "../api/client.ts";
import { type AnalyzeResponse, type Label, MODEL_TIERS, type Tier } from "../api/messages.ts";

const COMPARED: readonly Tier[] = [...MODEL_TIERS, "TIER_AUTO"];

/** What came of a tier; undefined: it is still to be asked. */
export type Compared = { readonly response: AnalyzeResponse } | { readonly error: unknown };

export interface Comparison {
  readonly text: string;
  readonly tiers: readonly { readonly tier: Tier; readonly said: Compared | undefined }[];
}

/** Asks one tier after the other, so that none takes another's time, and past the caches; `onSaid` is told of each. */
export async function compare(
  text: string,
  onSaid: (comparison: Comparison) => void,
  signal: AbortSignal,
): Promise<Comparison> {
  let comparison: Comparison = {
    text,
    tiers: COMPARED.map((tier) => ({ tier, said: undefined })),
  };
  onSaid(comparison);
  for (const asked of COMPARED) {
    const said = await outcomeOf(text, asked, signal);
    signal.throwIfAborted();
    const tiers = comparison.tiers.map((one) => (one.tier === asked ? { ...one, said } : one));
    comparison = { text, tiers };
    onSaid(comparison);
  }
  return comparison;
}

async function outcomeOf(text: string, tier: Tier, signal: AbortSignal): Promise<Compared> {
  try {
    return { response: await analyze({ text, tier, options: { skipCache: true } }, signal) };
  } catch (error) {
    return { error };
  }
}

/** Labels that the models gave, and the tiers that gave them; the cascade only repeats one of them. */
export function labelsOf({ tiers }: Comparison): ReadonlyMap<Label, readonly Tier[]> {
  const labels = new Map<Label, readonly Tier[]>();
  for (const { tier, said } of tiers) {
    if (said === undefined || !("response" in said) || tier === "TIER_AUTO") continue;
    const { label } = said.response.sentiment;
    labels.set(label, [...(labels.get(label) ?? []), tier]);
  }
  return labels;
}
