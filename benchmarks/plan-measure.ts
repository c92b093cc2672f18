/**
 * What things cost on this machine, into the file that `make plan` reads. A quiet machine, please: it takes two minutes.
 *
 *   make plan-measure
 */
import { writeFile } from "node:fs/promises";
import { format } from "node:util";
import { TIERS } from "../server/core/tiers.js";
import { COSTS_FILE, type Costs, readCosts } from "./plan/costs.js";
import { modelCost } from "./plan/measure-model.js";
import { aloneMs, frontUs, redisEntryBytes } from "./plan/measure-server.js";
import { modelMs } from "./plan/traffic.js";
import { machine } from "./results.js";

const BY = "make plan-measure";
const cost = (value: number, unit: string) => ({
  value: Number(value.toPrecision(3)),
  unit,
  by: BY,
});
const said = <Value>(what: string, value: Value): Value => {
  process.stdout.write(`${what}: ${format(value)}\n`);
  return value;
};

const before = await readCosts();
const tiers: Partial<Costs["tiers"]> = {};
for (const tier of TIERS) {
  const { batchUs, tokenUs } = said(tier, await modelCost(tier));
  tiers[tier] = { batch: cost(batchUs, "us"), token: cost(tokenUs, "us") };
}
const { batch, token } = { ...before.tiers, ...tiers }.fast;
/** Of texts of 20 tokens, as the ones that are asked have on average. */
const fastUs = (rows: number) => modelMs(rows, 20, batch.value, token.value) * 1000;
const front = said("CPU beside the model, us a text", await frontUs(fastUs));
const costs: Costs = {
  machine: await machine(),
  at: new Date().toISOString(),
  tiers: { ...before.tiers, ...tiers },
  texts: {
    unary: cost(front.unary, "us"),
    unaryCached: cost(front.unaryCached, "us"),
    batch: cost(front.batch, "us"),
    batchCached: cost(front.batchCached, "us"),
  },
  alone: cost(said("a call alone, beside the model, p95, ms", await aloneMs()), "ms"),
  escalated: before.escalated,
  redisEntry: cost(said("bytes of an answer in Redis", await redisEntryBytes()), "bytes"),
};
await writeFile(COSTS_FILE, `${JSON.stringify(costs, undefined, 2)}\n`);
