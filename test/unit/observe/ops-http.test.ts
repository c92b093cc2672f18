import assert from "node:assert/strict";
import { once } from "node:events";
import { connect } from "node:net";
import { createMetrics, createRegistry } from "../../../server/observe/metrics.js";
import { serveOps } from "../../../server/observe/ops-http.js";
import { readyState } from "../../../server/observe/readiness.js";
import { PAGE_POLICY } from "../../../server/observe/status-page.js";
import { recorder } from "../../support/recorder.js";
import { someStatus } from "../../support/some-status.js";
import { NO_READINGS } from "./some-readings.js";

const ADDRESS = "127.0.0.1";
const about = { version: "1.2.3", started: "2026-11-25T10:00:00.000Z", settings: { A: "<b>" } };
const processes = () => [{ process: 1, ...someStatus() }];

async function opened(reasons: readonly string[] = [], memoryBytes = () => 1) {
  const registry = createRegistry();
  createMetrics(registry, { ...NO_READINGS, memoryBytes });
  const [reportFault, faults] = recorder((_error: unknown) => {});
  const ready = () => readyState(reasons);
  const ops = await serveOps(ADDRESS, 0, { registry, ready, about, processes, reportFault });
  const ask = (path: string, method = "GET", headers = {}) =>
    fetch(`http://${ADDRESS}:${ops.port}${path}`, { method, headers });
  return { ...ops, ask, faults };
}

describe("ops HTTP", () => {
  it("lives, is ready, and is scraped, also with a query", async () => {
    await using ops = await opened();
    assert.equal((await ops.ask("/livez")).status, 200);
    const ready = await ops.ask("/readyz?verbose");
    assert.equal(ready.status, 200);
    assert.deepEqual(await ready.json(), { ready: true });
    const scrape = await ops.ask("/metrics");
    assert.equal(scrape.status, 200);
    assert.match(scrape.headers.get("content-type") ?? "", /^text\/plain; version=0\.0\.4/);
    assert.match(await scrape.text(), /^sentiment_memory_usage_bytes 1$/m);
  });

  it("says why it is not ready, and lives on", async () => {
    await using ops = await opened(["draining"]);
    const ready = await ops.ask("/readyz");
    assert.equal(ready.status, 503);
    assert.match(ready.headers.get("content-type") ?? "", /json/);
    assert.deepEqual(await ready.json(), { ready: false, reasons: ["draining"] });
    assert.equal((await ops.ask("/livez")).status, 200);
  });

  it("tells its status as a page, and as JSON to who asks for that first", async () => {
    await using ops = await opened();
    for (const accept of ["*/*", "text/html,application/json;q=0.9"]) {
      const page = await ops.ask("/status", "GET", { accept });
      assert.equal(page.status, 200);
      assert.equal(page.headers.get("content-type"), "text/html; charset=utf-8");
      assert.equal(page.headers.get("content-security-policy"), PAGE_POLICY);
      assert.equal(page.headers.get("x-content-type-options"), "nosniff");
      assert.equal(page.headers.get("vary"), "accept");
      assert.match(await page.text(), /^<!doctype html>[\s\S]*&lt;b&gt;/);
    }
    for (const accept of ["application/json", "application/json, text/html"]) {
      const json = await ops.ask("/status?x", "GET", { accept });
      assert.deepEqual([json.status, json.headers.get("content-type")], [200, "application/json"]);
      assert.equal(json.headers.get("vary"), "accept");
      assert.deepEqual(await json.json(), { ...about, processes: processes() });
    }
    assert.equal((await ops.ask("/status", "POST")).status, 405);
    assert.equal((await ops.ask("/status/")).status, 404);
  });

  it("answers HEAD without a body, and nothing else", async () => {
    await using ops = await opened();
    const head = await ops.ask("/metrics", "HEAD");
    assert.deepEqual([head.status, await head.text()], [200, ""]);
    const post = await ops.ask("/metrics", "POST");
    assert.deepEqual([post.status, post.headers.get("allow")], [405, "GET, HEAD"]);
    assert.equal((await ops.ask("/")).status, 404);
    assert.equal((await ops.ask("/metrics/more")).status, 404);
  });

  it("tells a scrape that failed, without its cause, and answers the next", async () => {
    let broken = true;
    await using ops = await opened([], () => {
      if (broken) throw new Error("secret cause");
      return 2;
    });
    const failed = await ops.ask("/metrics");
    assert.equal(failed.status, 500);
    assert.doesNotMatch(await failed.text(), /secret/);
    assert.match(String(ops.faults[0]?.[0]), /secret cause/);
    broken = false;
    assert.equal((await ops.ask("/metrics")).status, 200);
  });

  it("names HTTP_PORT and the mend where the port is in use", async () => {
    await using ops = await opened();
    const parts = { registry: createRegistry(), ready: () => readyState([]), about, processes };
    await assert.rejects(serveOps(ADDRESS, ops.port, { ...parts, reportFault: () => {} }), {
      name: "StartupError",
      message: `HTTP_PORT ${ops.port} is in use on ${ADDRESS}: end the process that has it, or set another HTTP_PORT`,
    });
  });

  it("closes at once, whoever is connected", async () => {
    const ops = await opened();
    const silent = connect(ops.port, ADDRESS);
    silent.on("error", () => {});
    await once(silent, "connect");
    await ops.ask("/livez");
    const closed = once(silent, "close");
    await ops[Symbol.asyncDispose]();
    await closed;
    await assert.rejects(ops.ask("/livez"));
  });
});
