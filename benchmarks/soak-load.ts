/**
 * The load of soak.ts, in a process of its own: RUSH calls a second for RUSH_MS, then RATE, to ADDRESS with KEY, by four clients one of which connects anew
 * every few seconds, until standard input ends. Prints then how the calls ended, as JSON: those of the first WARM_UP_MS, and those since.
 */
import { openLoop } from "../test/support/open-loop.js";
import { type Counts, SoakClient } from "./soak/clients.js";
import { Traffic } from "./soak/traffic.js";
import { seeded } from "./texts.js";

const CLIENTS = 4;
const RENEWED_MS = 10_000;
const { ADDRESS = "", KEY = "", RATE, RUSH, RUSH_MS, WARM_UP_MS, SEED } = process.env;

const counts: Counts = {};
const traffic = new Traffic(seeded(Number(SEED)));
const connect = () => new SoakClient(ADDRESS, KEY, counts);
const clients = Array.from({ length: CLIENTS }, connect);
const closing: Promise<void>[] = [];

const over = new AbortController();
process.stdin.resume().once("end", () => over.abort());
const renewing = setInterval(() => {
  const oldest = clients.shift();
  clients.push(connect());
  if (oldest) closing.push(oldest.close());
}, RENEWED_MS);

const send = async (place: number) => {
  await clients[place % CLIENTS]?.send(traffic.next());
};
const until = (ms: number) => AbortSignal.any([over.signal, AbortSignal.timeout(ms)]);
await openLoop(Number(RUSH), until(Number(RUSH_MS)), send);
await openLoop(Number(RATE), until(Number(WARM_UP_MS) - Number(RUSH_MS)), send);
const ofWarmUp = { ...counts };
for (const what of Object.keys(counts)) delete counts[what];
const calls = await openLoop(Number(RATE), over.signal, send);
clearInterval(renewing);
await Promise.all([...closing, ...clients.map((client) => client.close())]);
process.stdout.write(`${JSON.stringify({ calls, counts, ofWarmUp })}\n`);
