import assert from "node:assert/strict";
import type { ModelVersion } from "../../server/backend/backend.js";
import { heldBackend, until } from "../support/held-backend.js";
import { runApp } from "../support/running-app.js";

const MODELS = ["sentiment_accurate", "sentiment_balanced", "sentiment_fast"];

describe("ops HTTP of a running server", function () {
  this.timeout(20_000);

  it("tells Prometheus what is served", async () => {
    await using running = await runApp();
    const scrape = await fetch(`http://${running.app.opsAddress}/metrics`);
    assert.equal(scrape.status, 200);
    const lines = (await scrape.text()).split("\n");
    assert.ok(lines.includes('sentiment_backend_up{backend="embedded"} 1'));
    for (const model of MODELS) {
      assert.ok(
        lines.some((line) => line.startsWith(`sentiment_model_loaded{model="${model}"`)),
        model,
      );
      assert.ok(lines.includes(`sentiment_model_loads_total{model="${model}"} 1`), model);
    }
    const memory = lines.find((line) => line.startsWith("sentiment_memory_usage_bytes "));
    assert.ok(Number(memory?.split(" ")[1]) > 50_000_000, memory);
    const logged = running.log.find(({ opsAddress }) => opsAddress !== undefined);
    assert.equal(logged?.["opsAddress"], running.app.opsAddress);
  });

  it("tells that models are not in memory until their first use", async () => {
    await using running = await runApp({ PREFETCH_MODELS: "false" });
    const text = await (await fetch(`http://${running.app.opsAddress}/metrics`)).text();
    assert.match(
      text,
      /^sentiment_model_loaded\{model="sentiment_fast",version="1\+embedded\.[0-9a-f]{8}"\} 0$/m,
    );
    assert.equal((await fetch(`http://${running.app.opsAddress}/readyz`)).status, 200);
  });

  it("answers while models load, and names those that it waits for", async () => {
    const backend = heldBackend();
    const loading = Promise.withResolvers<void>();
    const slow = {
      ...backend,
      load: ({ name }: ModelVersion) =>
        name === "sentiment_fast" ? Promise.resolve() : loading.promise,
    };
    const log: string[] = [];
    const starting = runApp({}, { backend: () => slow, onLine: (line) => log.push(line) });
    await until(() => log.some((line) => line.includes("sentiment_fast")));
    const address = /"opsAddress":"([^"]+)"/.exec(log.join("\n"))?.[1];
    assert.equal((await fetch(`http://${address}/livez`)).status, 200);
    const ready = await fetch(`http://${address}/readyz`);
    assert.equal(ready.status, 503);
    const { reasons } = (await ready.json()) as { reasons: string[] };
    assert.deepEqual(reasons.toSorted(), [
      "model not ready: sentiment_accurate",
      "model not ready: sentiment_balanced",
    ]);
    loading.resolve();
    await using _running = await starting;
    assert.equal((await fetch(`http://${address}/readyz`)).status, 200);
  });

  it("says that it drains while calls are finished, and ends with the server", async () => {
    const backend = heldBackend();
    const running = await runApp({}, { backend: () => backend });
    const underWay = running.client.analyze({ text: "fine", tier: 1, options: undefined });
    await until(() => backend.waiting === 1);
    const stopped = running.app[Symbol.asyncDispose]();
    const ready = await fetch(`http://${running.app.opsAddress}/readyz`);
    assert.deepEqual(await ready.json(), { ready: false, reasons: ["draining"] });
    assert.equal((await fetch(`http://${running.app.opsAddress}/metrics`)).status, 200);
    backend.release();
    assert.ok((await underWay).sentiment);
    await stopped;
    await assert.rejects(fetch(`http://${running.app.opsAddress}/livez`));
    running.channel.close();
  });
});
