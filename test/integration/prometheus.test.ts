import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { files } from "../../deploy/grafana/write-dashboards.js";
import { mixedLoad } from "../support/mixed-load.js";
import { type PrometheusServer, type Rule, startPrometheus } from "../support/prometheus-server.js";
import { startRedis } from "../support/redis-server.js";
import { startServer } from "../support/server-process.js";

/** Expressions that must be empty here: what is in them, and why. */
const EMPTY: readonly (readonly [part: string, why: string])[] = [
  ["offset 1w", "there was no week before"],
  ["nv_inference_", "no Triton is scraped"],
  ["sentiment_canary_", "no model has a candidate version"],
  ["sentiment_shadow_", "no model has a candidate version"],
  ["sentiment_model_unloads_total", "nothing was unloaded"],
];
/** Until all that is counted has been scraped twice, the rules have had their turns, and a full minute has begun: subqueries look there. */
const PATIENCE_MS = 80_000;

const isEmptyHere = (expression: string) => EMPTY.some(([part]) => expression.includes(part));

/** An alert's value at any time: only what is over its threshold has one otherwise. */
const withoutThresholds = (expression: string) =>
  expression.replaceAll(/ (==|!=|>=|<=|>|<) /g, " $1 bool ");

/** As Grafana fills it in for all servers. */
const filledIn = (expression: string) =>
  expression.replaceAll("$__rate_interval", "10s").replaceAll("$instance", ".*");

function panelExpressions(text: string): readonly string[] {
  const { panels } = JSON.parse(text) as {
    panels: readonly { targets: readonly { expr: string }[] }[];
  };
  return panels.flatMap(({ targets }) => targets.map(({ expr }) => filledIn(expr)));
}

async function hasValue(prometheus: PrometheusServer, expression: string): Promise<boolean> {
  const samples = await prometheus.query(expression);
  return samples.some(({ value }) => Number.isFinite(value));
}

/** Those that have no value even after some patience. */
async function withoutValue(prometheus: PrometheusServer, expressions: readonly string[]) {
  const deadlineMs = performance.now() + PATIENCE_MS;
  let missing = expressions;
  while (missing.some((expression) => !isEmptyHere(expression))) {
    if (performance.now() > deadlineMs) break;
    await sleep(1000);
    const found = await Promise.all(missing.map((one) => hasValue(prometheus, one)));
    missing = missing.filter((_, index) => !found[index]);
  }
  return missing;
}

describe("a real Prometheus that scrapes the server under load", function () {
  this.timeout(180_000);
  const stack = new AsyncDisposableStack();
  let prometheus: PrometheusServer;
  let rules: readonly Rule[];
  before(async () => {
    const redis = stack.use(await startRedis());
    const server = stack.use(
      await startServer({ PROCESSES: "2", REDIS_URL: redis.url, WARM_UP_FILE: "/dev/null" }),
    );
    stack.use(mixedLoad(server.address));
    prometheus = stack.use(await startPrometheus(server.opsAddress));
    rules = await prometheus.rules();
  });
  after(() => stack.disposeAsync());

  it("gives every rule and every panel a value, but those that are known to have none here", async () => {
    const asked = [
      ...rules.map(({ query }) => withoutThresholds(query)),
      ...[...files.values()].flatMap(panelExpressions),
    ];
    assert.ok(asked.length > 100);
    const missing = await withoutValue(prometheus, asked);
    assert.deepEqual(
      missing.filter((expression) => !isEmptyHere(expression)),
      [],
    );
    // Nor is one excused that has one.
    assert.deepEqual(asked.filter(isEmptyHere), missing);
  });

  it("has no fault with a rule", async () => {
    const loaded = await prometheus.rules();
    assert.deepEqual(
      loaded.filter(({ health }) => health !== "ok"),
      [],
    );
  });
});
