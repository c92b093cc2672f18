/**
 * Two servers behind a real nginx with the recommended settings are restarted one after the other, ten times, under 200 calls a second of a client that
 * retries nothing.
 */
import assert from "node:assert/strict";
import { createChannel, createClient } from "nice-grpc";
import { SentimentServiceDefinition } from "../../server/gen/sentiment/v1/sentiment.js";
import { restart, startFleet } from "../support/fleet.js";
import { unretriedCalls } from "../support/unretried-calls.js";

const ROUNDS = 10;
const CALLS_PER_SECOND = 200;

describe("servers behind nginx", function () {
  this.timeout(900_000);

  it(`are restarted one after the other, ${ROUNDS} times, and no call fails`, async () => {
    await using left = new AsyncDisposableStack();
    const fleet = left.use(await startFleet({ servers: 2 }));
    const channel = createChannel(fleet.nginx.address, undefined, { "grpc.enable_retries": 0 });
    left.defer(() => channel.close());
    const client = createClient(SentimentServiceDefinition, channel);

    const lost: string[] = [];
    const over = new AbortController();
    left.defer(() => over.abort());
    const loaded = unretriedCalls(client, CALLS_PER_SECOND, over.signal, lost);
    for (let round = 0; round < ROUNDS; round++) {
      for (const place of fleet.servers.keys()) {
        await restart(fleet, place);
        assert.deepEqual(lost, [], `round ${round + 1}, server ${place + 1}`);
      }
    }
    over.abort();
    const calls = await loaded;
    assert.deepEqual(lost, [], `of ${calls} calls`);
    process.stdout.write(`    ${calls} calls, none failed\n`);
  });
});
