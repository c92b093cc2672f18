import { z } from "zod";
import { TIERS } from "../../server/core/tiers.js";

/** What is wrong with the load that was asked for: the message says what to change. */
export class PlanError extends Error {}

const above0 = z.coerce.number("must be a number").positive("must be over 0").finite();
const share = z.coerce.number("must be a number").min(0, "must be 0 to 1").max(1, "must be 0 to 1");
const whole = (most: number) =>
  z.coerce
    .number("must be a number")
    .int("must be a whole number")
    .min(1, "must be at least 1")
    .max(most, `must be at most ${most}`);
const LoadTier = z.enum([...TIERS, "auto"]);

/** "fast" or "fast:0.8,auto:0.2". */
const tierMix = z.string().transform((text, context) => {
  const mix = text.split(",").map((part) => {
    const [name, weight = "1"] = part.split(":");
    return { tier: LoadTier.safeParse(name?.trim()).data, share: Number(weight) };
  });
  const sum = mix.reduce((total, one) => total + one.share, 0);
  const known = mix.flatMap(({ tier, share: part }) =>
    tier === undefined || !(part > 0) ? [] : [{ tier, share: part / sum }],
  );
  if (known.length < mix.length || !Number.isFinite(sum)) {
    const message = 'must name tiers and their weights over 0, as in "fast:0.8,auto:0.2"';
    context.addIssue({ code: "custom", message });
    return z.NEVER;
  }
  return known;
});

/** Names are those of `make plan`. */
const Load = z.strictObject({
  /** Texts a second. */
  RATE: above0.max(1e9, "must be at most 1000000000"),
  TIERS: tierMix.default([{ tier: "balanced", share: 1 }]),
  /** Tokens of a text on average, special tokens included; with LONG_SHARE: of the short ones. */
  TOKENS: above0.max(100_000, "must be at most 100000").default(20),
  LONG_TOKENS: above0.max(100_000, "must be at most 100000").default(200),
  LONG_SHARE: share.default(0),
  HIT_RATE: share.optional(),
  /** Zipf's exponent, over TEXTS distinct texts, with ENTRIES kept in the memory of each server. */
  ZIPF: z.coerce.number("must be a number").min(0).max(10, "must be 0 to 10").optional(),
  TEXTS: whole(1e12).default(100_000),
  ENTRIES: whole(1e9).default(10_000),
  /** Servers share their answers. */
  REDIS: z.enum(["0", "1"], "must be 0 or 1").default("0"),
  /** Seconds that an answer is kept. */
  TTL: above0.max(1e9, "must be at most 1000000000").default(3600),
  /** Milliseconds that 95 % of the calls may take at most. */
  P95: above0.max(1e9, "must be at most 1000000000").default(100),
  CALLS: z.enum(["unary", "batch"], "must be unary or batch").default("unary"),
  /** Texts of a call, with CALLS=batch. */
  BATCH: whole(10_000).default(100),
  /** Of a server; with BACKEND=triton also of a Triton server. */
  CORES: whole(1024).default(2),
  BACKEND: z.enum(["embedded", "triton"], "must be embedded or triton").default("embedded"),
  /** Share of the cores that may be busy, whatever p95 allows. */
  UTILIZATION: share.max(0.95, "must be at most 0.95").gt(0, "must be over 0").default(0.7),
});
export type Load = z.infer<typeof Load>;
export const LOAD_NAMES = Object.keys(Load.shape);

/** Empty values count as unset. Throws one PlanError that names every fault. */
export function loadOf(given: Readonly<Record<string, string | undefined>>): Load {
  const set = Object.fromEntries(Object.entries(given).filter(([, value]) => value));
  const { success, data, error } = Load.safeParse(set);
  if (!success) {
    const faults = error.issues.map(({ path, message }) => {
      const name = String(path[0] ?? "");
      return set[name] === undefined
        ? `${name}: ${name === "RATE" ? "is missing: texts a second" : message}`
        : `${name}: ${message} (is "${set[name]}")`;
    });
    throw new PlanError(faults.join("\n"));
  }
  if (data.HIT_RATE !== undefined && data.ZIPF !== undefined)
    throw new PlanError("HIT_RATE and ZIPF: set one of them; ZIPF works the hit rate out");
  return data;
}
