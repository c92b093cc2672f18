import assert from "node:assert/strict";
import { createChannel, createClient } from "nice-grpc";
import {
  Label,
  SentimentServiceDefinition,
  Tier,
} from "../../server/gen/sentiment/v1/sentiment.js";
import { startServer } from "../support/server-process.js";

describe("the server that make run starts", function () {
  this.timeout(30_000);

  it("serves at the address that it logs, and ends cleanly at SIGTERM", async () => {
    const server = await startServer();
    const channel = createChannel(server.address);
    const client = createClient(SentimentServiceDefinition, channel);
    const text = "I love this product!";
    const { sentiment } = await client.analyze({ text, tier: Tier.TIER_FAST, options: undefined });
    assert.equal(sentiment?.label, Label.LABEL_POSITIVE);
    channel.close();
    server.child.kill("SIGTERM");
    const { code, stdout, stderr } = await server.ended;
    assert.equal(code, 0);
    assert.equal(stderr, "");
    const lines = stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    assert.ok(lines.every(({ time }) => !Number.isNaN(Date.parse(time))));
    assert.equal(lines.at(-1).msg, "stopped");
  });

  it("ends at once at a second signal", async () => {
    const server = await startServer();
    // An open connection with a call that never ends keeps the drain waiting.
    const channel = createChannel(server.address);
    const client = createClient(SentimentServiceDefinition, channel);
    const stop = Promise.withResolvers<void>();
    async function* requests() {
      yield { id: "1", text: "fine", tier: Tier.TIER_FAST, options: undefined };
      await stop.promise;
    }
    const answers = client.analyzeStream(requests())[Symbol.asyncIterator]();
    await answers.next();
    const rest = answers.next().then(
      () => "answered",
      () => "broken off",
    );
    server.child.kill("SIGTERM");
    await new Promise((next) => setTimeout(next, 200));
    assert.equal(server.child.exitCode, null, "the drain did not wait");
    server.child.kill("SIGTERM");
    await server.ended;
    assert.equal(server.child.signalCode, "SIGTERM");
    assert.equal(await rest, "broken off");
    stop.resolve();
    channel.close();
  });
});
