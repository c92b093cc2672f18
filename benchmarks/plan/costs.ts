import { readFile } from "node:fs/promises";
import { z } from "zod";
import { TIERS } from "../../server/core/tiers.js";

export const COSTS_FILE = "benchmarks/plan/costs.json";

const Cost = z.strictObject({
  value: z.number().positive().finite(),
  unit: z.string(),
  /** The command that measures it. */
  by: z.string(),
});
const OfTier = z.strictObject({
  /** Of a batch, before its first token. */
  batch: Cost,
  /** Of a token of a batch, special tokens and padding included. */
  token: Cost,
});
/** What things cost on the machine that the file was measured on. */
const Costs = z.strictObject({
  machine: z.string(),
  at: z.string(),
  tiers: z.record(z.enum(TIERS), OfTier),
  /** CPU of a text beside the model: gRPC, caches, tokenizing, batching. */
  texts: z.strictObject({
    unary: Cost,
    unaryCached: Cost,
    batch: Cost,
    batchCached: Cost,
  }),
  /** What 95 % of the calls that are alone take beside the model at most: the client, the network, threads that wake up. */
  alone: Cost,
  /** Of TIER_AUTO's texts, those that go on to accurate. */
  escalated: Cost,
  redisEntry: Cost,
});
export type Costs = z.infer<typeof Costs>;

export const readCosts = async (file: string = COSTS_FILE): Promise<Costs> =>
  Costs.parse(JSON.parse(await readFile(file, "utf8")));
