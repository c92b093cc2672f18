import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { Metadata } from "nice-grpc";
import type { ModelVersion } from "../../server/backend/backend.js";
import { addNewKey } from "../../server/rpc/keys/new-key.js";
import { heldBackend, until } from "../support/held-backend.js";
import { keyFolder } from "../support/key-folder.js";
import { freePorts } from "../support/ports.js";
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

  it("tells its status without secrets or texts, as a page and as JSON", async () => {
    await using folder = await keyFolder();
    const key = await addNewKey(folder.file, "reader", ["analyze"]);
    // Nobody listens there.
    const [port] = await freePorts(1);
    await using running = await runApp({
      API_KEYS_FILE: folder.file,
      ENABLE_CACHING: "true",
      REDIS_URL: `redis://user:s3cret@127.0.0.1:${port}`,
    });
    const text = "a dull and dreary play";
    const metadata = Metadata({ "x-api-key": key });
    await running.client.analyze({ text, tier: 1, options: undefined }, { metadata });
    const url = `http://${running.app.opsAddress}/status`;
    const page = await (await fetch(url)).text();
    const json = await (await fetch(url, { headers: { accept: "application/json" } })).text();
    for (const told of [page, json])
      for (const secret of ["s3cret", key, "dull", "reader"])
        assert.ok(!told.includes(secret), secret);
    const { version, started, settings, processes } = JSON.parse(json);
    assert.equal(version, JSON.parse(await readFile("package.json", "utf8")).version);
    assert.ok(Date.now() - Date.parse(started) < 60_000);
    assert.equal(settings.REDIS_URL, `redis://***@127.0.0.1:${port}`);
    const [{ models, queued, backends, cache, memory, reasons }] = processes;
    assert.deepEqual(
      models.map(({ model, loaded }: { model: string; loaded: boolean }) => [model, loaded]),
      MODELS.toReversed().map((model) => [model, true]),
    );
    for (const { digest, version } of models) {
      assert.match(digest, /^[0-9a-f]{12}$/);
      assert.ok(version.endsWith(digest.slice(0, 8)));
    }
    assert.deepEqual([queued, reasons], [{ rows: 0, tokens: 0 }, []]);
    assert.deepEqual(backends, [{ backend: "embedded", up: true }]);
    assert.equal(cache.texts, 1);
    assert.deepEqual(cache.redis, { url: `redis://127.0.0.1:${port}`, state: "down" });
    assert.ok(memory.bytes > 50_000_000 && memory.limitBytes === 4 * 2 ** 30);
    assert.ok(page.includes(models[0].digest));
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
