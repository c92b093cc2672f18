import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { createChannel, createClient } from "nice-grpc";
import { residentMb } from "../../benchmarks/resident.js";
import {
  type SentimentServiceClient,
  SentimentServiceDefinition,
  Tier,
} from "../../server/gen/sentiment/v1/sentiment.js";
import { countsOf, scrape } from "../support/scrape.js";
import { type ServerProcess, startServer } from "../support/server-process.js";
import { quantile } from "../support/steady-load.js";

const FLOODS_OF = [
  { connections: 250, streams: 5000, kind: "short" },
  { connections: 5000, streams: 5000, kind: "short" },
  // The largest answers that there are.
  { connections: 5, streams: 500, kind: "explained" },
] as const;
type Flood = (typeof FLOODS_OF)[number];
const MEBIBYTE = 2 ** 20;
const IDLE_SECONDS = 60;
/** What readers that have stopped may cost the server at most: 512 KB for each of 5,000; of few streams of large answers twice as much as MAX_REQUEST_MEMORY counts at most. */
const MOST_BYTES = { short: 5000 * 512 * 1024, explained: 4 * 256 * MEBIBYTE };
const PAUSE_MS = 20;
/** For one call of another client: opening 5,000 connections takes the event loop for a moment. */
const LONGEST_MS = 10_000;
/** V8 gives back what nobody has any more when it next collects: another flood must find the room of those before it, and take no more. One is not enough to tell what all of them need. */
const FLOODS = 3;
const MOST_GROWTH = 1.1;

async function rssOf({ child }: ServerProcess): Promise<number> {
  assert.ok(child.pid);
  return (await residentMb(child.pid)) * MEBIBYTE;
}

/** Calls one after the other until it is stopped; resolves with how long each took. */
function healthyCalls(client: SentimentServiceClient) {
  let isRunning = true;
  const calls = (async () => {
    const took: number[] = [];
    for (let call = 0; isRunning; call++) {
      const startedMs = performance.now();
      const text = `A call of one that reads: ${call}.`;
      const signal = AbortSignal.timeout(LONGEST_MS);
      await client.analyze({ text, tier: Tier.TIER_FAST, options: undefined }, { signal });
      took.push(performance.now() - startedMs);
      await sleep(PAUSE_MS);
    }
    return took;
  })();
  return {
    stop: () => {
      isRunning = false;
      return calls;
    },
  };
}

async function stoppedReaders(
  address: string,
  { connections, streams, kind }: Flood,
): Promise<ChildProcess> {
  const script = "dist/test/full/stop-reading.js";
  const args = [script, address, String(connections), String(streams), kind];
  const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit", "ipc"] });
  assert.ok(child.stdout);
  await once(child.stdout, "data");
  return child;
}

describe("streams whose readers have stopped", function () {
  this.timeout(900_000);

  for (const kind of FLOODS_OF) {
    const { connections, streams } = kind;
    it(`${streams} of ${kind.kind} answers over ${connections} connections cost a bounded memory, are cut off in time, and disturb no other client`, async () => {
      await using server = await startServer({
        STREAM_IDLE_TIMEOUT: String(IDLE_SECONDS),
      });
      const channel = createChannel(server.address);
      const client = createClient(SentimentServiceDefinition, channel);
      const counts = async (name: string) => countsOf(await scrape(server.opsAddress), name);
      const inFlight = async () => (await counts("sentiment_requests_in_flight"))[""] ?? 0;
      // For more than MAX_REQUEST_MEMORY of texts that nobody has begun with a stream is refused before that.
      const cut = async () => {
        const { stopped_reader = 0, large_requests = 0 } = await counts(
          "sentiment_calls_cut_total",
        );
        return { stopped: stopped_reader, all: stopped_reader + large_requests };
      };
      /** Resolves with the most memory there was until all of them were cut. */
      const flood = async (earlier: number) => {
        const readers = await stoppedReaders(server.address, kind);
        const startedMs = performance.now();
        let most = 0;
        while ((await cut()).all !== earlier + streams) {
          assert.ok(performance.now() - startedMs < 5 * IDLE_SECONDS * 1000, "they were not cut");
          most = Math.max(most, await rssOf(server));
          await sleep(500);
        }
        while ((await inFlight()) > 1) await sleep(100);
        readers.kill("SIGKILL");
        return most;
      };
      await client.analyze({ text: "warm", tier: Tier.TIER_FAST, options: undefined });
      const before = await rssOf(server);
      const healthy = healthyCalls(client);
      const most: number[] = [];
      for (let one = 0; one < FLOODS; one++) most.push(await flood(one * streams));
      const took = await healthy.stop();
      channel.close();
      const { stopped } = await cut();
      const shown = [before, ...most].map((bytes) => Math.round(bytes / MEBIBYTE));
      const [p50, p99, longest] = [0.5, 0.99, 1].map((share) => Math.round(quantile(took, share)));
      process.stdout.write(
        `      memory before and at most in each flood: ${shown.join(", ")} MiB; ${stopped} cut as stopped readers, ${FLOODS * streams - stopped} for their requests' memory; ${took.length} calls of another client: p50 ${p50}, p99 ${p99}, longest ${longest} ms\n`,
      );
      const last = most.pop() ?? 0;
      const needed = Math.max(...most);
      assert.ok(needed - before < MOST_BYTES[kind.kind], "memory is not bounded");
      assert.ok(last < MOST_GROWTH * needed, "memory is kept for those cut");
      // One after the other: as many as there would be at a second each, and each in time.
      assert.ok(took.length > FLOODS * IDLE_SECONDS, `${took.length} calls`);
    });
  }
});
