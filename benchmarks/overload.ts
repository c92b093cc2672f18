/**
 * What callers get at and beyond saturation: unary calls come at set rates (shares of what the server does at 64 calls at once), each
 * may take a second. Goodput is answers in time; what was refused was told so.
 *
 *   make bench-overload
 */
import { parseArgs } from "node:util";
import { status } from "@grpc/grpc-js";
import { Tier } from "../server/gen/sentiment/v1/sentiment.js";
import { quantile } from "../test/support/steady-load.js";
import { openLoop, type Sent } from "./open-loop.js";
import { type Measured, record, spread } from "./results.js";
import { callUnary, startServer } from "./server.js";
import { lognormalTexts } from "./texts.js";

const SHARES = [0.5, 0.8, 1, 1.5, 3];
const LIMIT_MS = 1000;
const { values } = parseArgs({
  options: { rounds: { type: "string", default: "3" }, seconds: { type: "string", default: "8" } },
});
const seconds = Number(values.seconds);
const texts = await lognormalTexts(4000, "triton-model-repo/sentiment_balanced/tokenizer.json");
const tier = Tier.TIER_BALANCED;
await using server = await startServer();
await callUnary(server.client, tier, texts, 64);

/** Of one rate: rounds of each number. */
const numbers = () => ({
  goodput: [] as number[],
  p50: [] as number[],
  p99: [] as number[],
  refusedP99: [] as number[],
  failed: [] as number[],
});
const byShare = new Map(SHARES.map((share) => [share, numbers()]));
const saturation: number[] = [];
for (let round = 0; round < Number(values.rounds); round++) {
  const rate = await callUnary(server.client, tier, texts, 64);
  saturation.push(rate);
  for (const [share, of] of byShare) {
    const load = { address: server.address, tier, texts, seconds, limitMs: LIMIT_MS };
    const sent = await openLoop({ ...load, callsPerSecond: share * rate });
    const took = (which: (one: Sent) => boolean) => sent.filter(which).map(({ tookMs }) => tookMs);
    const answered = took(({ code }) => code === status.OK);
    const refused = took(({ code }) => code === status.RESOURCE_EXHAUSTED);
    of.goodput.push(answered.length / seconds / rate);
    of.p50.push(quantile(answered, 0.5));
    of.p99.push(quantile(answered, 0.99));
    if (refused.length > 0) of.refusedP99.push(quantile(refused, 0.99));
    of.failed.push((sent.length - answered.length - refused.length) / sent.length);
  }
}
process.stdout.write(`saturation: ${spread(saturation, 0)} texts a second\n`);
const measured: Measured[] = [{ what: "saturation", unit: "texts/s", rounds: saturation }];
for (const [share, of] of byShare) {
  const refusals =
    of.refusedP99.length > 0 ? `refusals p99 ${spread(of.refusedP99, 1)} ms` : "no refusals";
  process.stdout.write(
    `at ${share}: goodput ${spread(of.goodput, 2)} of saturation, p50 ${spread(of.p50, 1)} ms, p99 ${spread(of.p99, 1)} ms; ` +
      `${refusals}; too late or failed ${spread(
        of.failed.map((part) => 100 * part),
        2,
      )} %\n`,
  );
  for (const [name, rounds] of Object.entries(of))
    measured.push({ what: `at ${share}: ${name}`, unit: name.startsWith("p") ? "ms" : "", rounds });
}
await record("overload", measured);
