/**
 * Two servers behind a real nginx with the recommended settings are restarted one after the other, ten times, under 200 calls a second of a client that
 * retries nothing.
 */
import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { createChannel, createClient } from "nice-grpc";
import { SentimentServiceDefinition, Tier } from "../../server/gen/sentiment/v1/sentiment.js";
import { startNginx } from "../support/nginx-server.js";
import { openLoop } from "../support/open-loop.js";
import { freePorts } from "../support/ports.js";
import { repositoryCopy } from "../support/repository-copy.js";
import { countsOf, scrape } from "../support/scrape.js";
import { sentences } from "../support/sentences.js";
import { type ServerProcess, startServer } from "../support/server-process.js";

const ROUNDS = 10;
const CALLS_PER_SECOND = 200;
/** One of so many calls is an AnalyzeBatch. */
const BATCH_EVERY = 20;
const CALLS = "sentiment_requests_total";
const TEXTS = sentences(2000);
const tier = Tier.TIER_FAST;

describe("servers behind nginx", function () {
  this.timeout(900_000);

  it(`are restarted one after the other, ${ROUNDS} times, and no call fails`, async () => {
    await using left = new AsyncDisposableStack();
    const models = left.use(await repositoryCopy("fast"));
    const ports = await freePorts(2);
    const start = (port: number) =>
      startServer({
        GRPC_PORT: String(port),
        MODEL_REPOSITORY: models.folder,
        DEFAULT_TIER: "fast",
        WARM_UP_FILE: "/dev/null",
      });
    const servers = await Promise.all(ports.map(start));
    left.defer(async () => {
      for (const server of servers) await server[Symbol.asyncDispose]();
    });
    const [one, other] = servers;
    assert.ok(one && other);
    const nginx = left.use(await startNginx([one.address, other.address]));
    const channel = createChannel(nginx.address, undefined, { "grpc.enable_retries": 0 });
    left.defer(() => channel.close());
    const client = createClient(SentimentServiceDefinition, channel);

    const failures: string[] = [];
    const textAt = (place: number) => TEXTS[place % TEXTS.length] ?? "";
    const ask = async (place: number) => {
      if (place % BATCH_EVERY > 0) {
        await client.analyze({ text: textAt(place), tier, options: undefined });
        return;
      }
      const texts = [textAt(place), textAt(7 * place + 1)];
      const { results } = await client.analyzeBatch({ texts, tier, options: undefined });
      assert.ok(results.every(({ sentiment }) => sentiment));
    };
    const over = new AbortController();
    left.defer(() => over.abort());
    const loaded = openLoop(CALLS_PER_SECOND, over.signal, (place) =>
      ask(place).catch((error: unknown) => {
        failures.push(`call ${place}: ${error}`);
      }),
    );
    for (let round = 0; round < ROUNDS; round++) {
      for (const [which, port] of ports.entries()) {
        await restart(servers, which, () => start(port));
        assert.deepEqual(failures, [], `round ${round + 1}, server ${which + 1}`);
      }
    }
    over.abort();
    const calls = await loaded;
    assert.deepEqual(failures, [], `of ${calls} calls`);
    process.stdout.write(`    ${calls} calls, none failed\n`);
  });
});

/** As whoever rolls out a new version does: ends it, waits until it is gone, starts it and waits until it is ready. */
async function restart(
  servers: ServerProcess[],
  which: number,
  start: () => Promise<ServerProcess>,
): Promise<void> {
  const old = servers[which] ?? assert.fail();
  // Until calls come to it, since it was started.
  while (Object.keys(countsOf(await scrape(old.opsAddress), CALLS)).length === 0) await sleep(50);
  old.child.kill("SIGTERM");
  const { code, stderr } = await old.ended;
  assert.deepEqual([code, stderr], [0, ""]);
  servers[which] = await start();
}
