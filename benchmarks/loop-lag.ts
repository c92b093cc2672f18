import type { BenchedServer } from "./server.js";

const NAME = "sentiment_event_loop_lag_seconds_bucket";

interface LoopLag {
  /** Of the looks since then, the bound that 99 of 100 keep. */
  sinceThen(): Promise<{ readonly p99Ms: number }>;
}

/** How late the server's event loop is from now on, by its own metrics. */
export async function loopLag(server: BenchedServer): Promise<LoopLag> {
  const before = await bucketsOf(server);
  return {
    async sinceThen() {
      const counts = [...(await bucketsOf(server))].map(
        ([bound, count]) => [bound, count - (before.get(bound) ?? 0)] as const,
      );
      const all = counts.at(-1)?.[1] ?? 0;
      const [bound] = counts.find(([, count]) => count >= 0.99 * all) ?? [Number.NaN];
      return { p99Ms: bound * 1000 };
    },
  };
}

/** Upper bound in seconds, and how many looks were no later. Ascending. */
async function bucketsOf({ opsAddress }: BenchedServer): Promise<ReadonlyMap<number, number>> {
  const text = await (await fetch(`http://${opsAddress}/metrics`)).text();
  const lines = text.matchAll(new RegExp(`^${NAME}{[^}]*le="([^"]+)"[^}]*} (\\d+)$`, "gm"));
  return new Map(
    [...lines].map(([, bound = "", count]) => [
      bound === "+Inf" ? Number.POSITIVE_INFINITY : Number(bound),
      Number(count),
    ]),
  );
}
