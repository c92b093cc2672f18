import assert from "node:assert/strict";
import { cp, readFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import type { ChannelOptions } from "@grpc/grpc-js";
import { type Channel, ChannelCredentials, createChannel, createClient, Metadata } from "nice-grpc";
import { files } from "../../deploy/grafana/write-dashboards.js";
import { TritonClient } from "../../server/backend/triton/triton-client.js";
import { AdminServiceDefinition, Tier } from "../../server/gen/sentiment/v1/sentiment.js";
import { addNewKey } from "../../server/rpc/keys/new-key.js";
import { certificates } from "../support/certificates.js";
import { keyFolder } from "../support/key-folder.js";
import { mixedLoad } from "../support/mixed-load.js";
import { modelVersion } from "../support/model-version.js";
import { type PrometheusServer, type Rule, startPrometheus } from "../support/prometheus-server.js";
import { startRedis } from "../support/redis-server.js";
import { repositoryCopy } from "../support/repository-copy.js";
import { startServer } from "../support/server-process.js";
import { startTriton } from "../support/triton-server.js";

/** Expressions that must be empty here: what is in them, and why. */
const EMPTY: readonly (readonly [part: string, why: string])[] = [
  ["offset 1w", "there was no week before"],
  ["sentiment_gateway_", "no bridge runs here: test/full/gateway.sh asks one"],
  ['job="sentiment-gateway"', "as above"],
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

/** `fast` has a version that gets calls, `balanced` one that is only compared. */
async function repositoryWithCandidates() {
  const models = await repositoryCopy("fast", "balanced", "accurate");
  for (const [tier, share] of [
    ["fast", "canary_share"],
    ["balanced", "shadow_share"],
  ] as const) {
    await cp(models.at(tier, "1"), models.at(tier, "2"), { recursive: true });
    await models.addParameter(tier, "candidate_version", "2");
    await models.addParameter(tier, share, "0.5");
  }
  return models;
}

/** One batch after the other for Triton itself, until it is disposed of. */
async function tritonLoad(url: string): Promise<AsyncDisposable> {
  const triton = new TritonClient(url);
  const model = await modelVersion("fast");
  const ids = [101n, 2003n, 102n];
  const batch = {
    rows: 1,
    tokens: ids.length,
    inputIds: new BigInt64Array(ids),
    attentionMask: new BigInt64Array(ids.length).fill(1n),
  };
  let stopped = false;
  const loaded = (async () => {
    while (!stopped) {
      await triton.infer(model, batch, { signal: triton.closed, limitMs: 10_000 });
      await sleep(10);
    }
  })();
  // It is told by disposing.
  loaded.catch(() => {});
  return {
    async [Symbol.asyncDispose]() {
      stopped = true;
      await loaded.finally(() => triton[Symbol.dispose]());
    },
  };
}

/** The next call loads it again. */
async function unload(channel: Channel, metadata: Metadata): Promise<void> {
  try {
    const admin = createClient(AdminServiceDefinition, channel, { "*": { metadata } });
    await admin.unloadModel({ tier: Tier.TIER_ACCURATE });
  } finally {
    channel.close();
  }
}

describe("a real Prometheus that scrapes the server under load", function () {
  this.timeout(180_000);
  const stack = new AsyncDisposableStack();
  let prometheus: PrometheusServer;
  let rules: readonly Rule[];
  before(async () => {
    const redis = stack.use(await startRedis());
    const models = stack.use(await repositoryWithCandidates());
    const own = await stack.use(await certificates()).make("server");
    const keys = stack.use(await keyFolder()).file;
    const metadata = Metadata({ "x-api-key": await addNewKey(keys, "all", ["analyze", "admin"]) });
    const server = stack.use(
      await startServer({
        PROCESSES: "2",
        REDIS_URL: redis.url,
        MODEL_REPOSITORY: models.folder,
        API_KEYS_FILE: keys,
        TLS_CERT: own.cert,
        TLS_KEY: own.key,
        WARM_UP_FILE: "/dev/null",
      }),
    );
    const root = await readFile(own.cert);
    const connect = (options: ChannelOptions = {}) =>
      createChannel(`https://${server.address}`, ChannelCredentials.createSsl(root), options);
    const triton = stack.use(await startTriton({ models: ["sentiment_fast"] }));
    prometheus = stack.use(
      await startPrometheus({
        sentiment: server.opsAddress,
        triton: `127.0.0.1:${triton.ports.metrics}`,
      }),
    );
    stack.use(mixedLoad(connect, metadata));
    stack.use(await tritonLoad(triton.url));
    await unload(connect(), metadata);
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
