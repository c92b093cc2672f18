import assert from "node:assert/strict";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { createChannel, createClient } from "nice-grpc";
import { inParallel } from "../../benchmarks/server.js";
import { SentimentServiceDefinition, Tier } from "../../server/gen/sentiment/v1/sentiment.js";
import { start } from "../support/server-process.js";

const CALLS = 6000;
const AT_ONCE = 20;
/** A call that is over has nothing that is held; some are under way at each collection. It was 6,500 where Node kept the streams. */
const MOST_BYTES = 1000;

describe("What a call has made", function () {
  this.timeout(60_000);

  it("is gone with the next minor collection", async () => {
    const { child, ended } = start(
      "exec node --trace-gc --trace-gc-nvp --max-semi-space-size=8 dist/server/main.js",
      { GRPC_PORT: "0", HTTP_PORT: "0", PREFETCH_MODELS: "false", LOG_SAMPLE: "0" },
    );
    await using _server = {
      async [Symbol.asyncDispose]() {
        child.kill("SIGTERM");
        await ended;
      },
    };
    assert(child.stdout);
    const collections: string[] = [];
    const address = new Promise<string>((resolve) => {
      createInterface({ input: child.stdout as Readable }).on("line", (line) => {
        if (/\bgc=s\b/.test(line)) collections.push(line);
        else if (/^\{.*"address":/.test(line)) resolve(JSON.parse(line).address);
      });
    });
    const channel = createChannel(await address);
    const client = createClient(SentimentServiceDefinition, channel);
    const call = async () => {
      await client.analyze({ text: "A fine day.", tier: Tier.TIER_FAST, options: undefined });
    };
    const some = () => inParallel(AT_ONCE, Array(CALLS).fill(undefined), call);
    // Until all that stays is old.
    await some();
    const before = collections.length;
    await some();
    channel.close();
    const promoted = collections
      .slice(before)
      .map((line) => Number(/\bpromoted=(\d+)/.exec(line)?.[1]));
    assert(promoted.length >= 5, `${promoted.length} minor collections`);
    const bytes = promoted.reduce((sum, one) => sum + one, 0) / CALLS;
    assert(bytes < MOST_BYTES, `a call leaves ${Math.round(bytes)} bytes`);
  });
});
