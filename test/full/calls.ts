/**
 * Calls at a rate until SIGTERM, then one line that says how they went; fails where one did, or none was sent.
 *
 *   node dist/test/full/calls.js https://localhost:8443 50     gRPC with TLS (CA: the file with its CA), by a client that retries nothing
 *   node dist/test/full/calls.js http://127.0.0.1:8080 50       REST
 *
 * KEY is the caller's.
 */
import { readFileSync } from "node:fs";
import { ChannelCredentials, createChannel, createClient, Metadata } from "nice-grpc";
import { SentimentServiceDefinition, Tier } from "../../server/gen/sentiment/v1/sentiment.js";
import { openLoop } from "../support/open-loop.js";
import { sentences } from "../support/sentences.js";
import { quantile } from "../support/steady-load.js";

/** Few, so that nearly all are answered from a cache: it is no matter of load. */
const TEXTS = sentences(20);
const key = process.env["KEY"] ?? "";

type Ask = (text: string) => Promise<unknown>;

function byGrpc(url: string): Ask {
  const credentials = ChannelCredentials.createSsl(readFileSync(process.env["CA"] ?? ""));
  const channel = createChannel(url, credentials, { "grpc.enable_retries": 0 });
  const client = createClient(SentimentServiceDefinition, channel, {
    "*": { metadata: Metadata({ "x-api-key": key }) },
  });
  return (text) => client.analyze({ text, tier: Tier.TIER_FAST, options: undefined });
}

const byRest =
  (url: string): Ask =>
  async (text) => {
    const response = await fetch(`${url}/api/analyze`, {
      method: "POST",
      headers: { "x-api-key": key },
      body: JSON.stringify({ text, tier: "TIER_FAST" }),
    });
    const answer = await response.text();
    if (!response.ok) throw new Error(`${response.status}: ${answer}`);
  };

const [, , url = "", rate = "50"] = process.argv;
const ask = url.startsWith("https:") ? byGrpc(url) : byRest(url);
const over = new AbortController();
process.once("SIGTERM", () => over.abort());
const tookMs: number[] = [];
const faults: string[] = [];
const calls = await openLoop(Number(rate), over.signal, async (place) => {
  const sentMs = performance.now();
  try {
    await ask(TEXTS[place % TEXTS.length] ?? "");
  } catch (error) {
    faults.push(String(error));
  }
  tookMs.push(performance.now() - sentMs);
});
const [p50, p99, most] = [0.5, 0.99, 1].map((share) => Math.round(quantile(tookMs, share)));
const [first = "none"] = faults;
process.stdout.write(
  `${calls} calls, p50 ${p50}, p99 ${p99}, most ${most} ms; ${faults.length} failed, the first: ${first}\n`,
);
process.exit(calls > 0 && faults.length === 0 ? 0 : 1);
