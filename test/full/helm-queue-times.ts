import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { parse } from "yaml";
import { CHART, type Manifest, manifests, ofKind } from "../support/chart.js";
import { prometheusTool } from "../support/prometheus-server.js";
import { scratchFolder } from "../support/scratch-folder.js";

const ADAPTER = join(CHART, "files/prometheus-adapter.yaml");
/** The labels of what the release's monitors scrape, and of what another's do. */
const OWN = 'namespace="reviews",pod="p",release="a"';
const OTHER = 'namespace="reviews",pod="q",release="b"';

type Series = Readonly<Record<string, string>>;

/** What PromQL gives at ten minutes, in milliseconds, from a few series. */
async function evaluate(query: string, series: Series, value: number): Promise<void> {
  await using folder = await scratchFolder();
  const file = join(folder.path, "test.json");
  const input_series = Object.entries(series).map(([name, values]) => ({ series: name, values }));
  const expr = `round(1000 * sum(${query}))`;
  const expected = { expr, eval_time: "10m", exp_samples: [{ labels: "{}", value }] };
  const test = { interval: "15s", input_series, promql_expr_test: [expected] };
  await writeFile(file, JSON.stringify({ evaluation_interval: "15s", tests: [test] }));
  await promisify(execFile)(prometheusTool("promtool"), ["test", "rules", file]);
}

async function scalersBy(by: string, component: string): Promise<readonly Manifest[]> {
  const prometheus = "monitoring.prometheusUrl=http://p,monitoring.monitors.enabled=true";
  const scaling = `${component}.autoscaling.enabled=true,${component}.autoscaling.queueTime.by=${by}`;
  const set = `triton.enabled=true,${prometheus},${scaling}`;
  return ofKind(await manifests("a", ["--set", set]), "ScaledObject", "HorizontalPodAutoscaler");
}

/** What KEDA asks. */
async function kedaQuery(component: string): Promise<string> {
  const all = await scalersBy("keda", component);
  const [{ spec } = assert.fail("there is none")] = ofKind(all, "ScaledObject");
  const { metadata } = spec.triggers.at(-1);
  assert.equal(metadata.threshold, "0.05");
  return metadata.query;
}

/** What the Prometheus adapter asks for the metric that the autoscaler names, told for one pod. */
async function adapterQuery(component: string): Promise<string> {
  const all = await scalersBy("prometheus-adapter", component);
  const metrics = all.flatMap(({ spec }) => spec.metrics);
  const { pods } = metrics.find(({ type }: { type: string }) => type === "Pods");
  assert.equal(pods.target.averageValue, "50m");
  const { custom } = parse(await readFile(ADAPTER, "utf8")).rules;
  const rule = custom.find(({ name }: { name: { as: string } }) => name.as === pods.metric.name);
  return rule.metricsQuery
    .replaceAll("<<.GroupBy>>", "pod")
    .replaceAll("<<.LabelMatchers>>", 'namespace="reviews",pod="p"');
}

for (const [by, queryOf] of [
  ["KEDA", kedaQuery],
  ["the Prometheus adapter", adapterQuery],
] as const)
  describe(`the queue times that the Helm chart scales by, as ${by} asks for them`, function () {
    this.timeout(60_000);

    it("are the longest wait of a model that 95 % of the server's rows have, and 0 without any", async () => {
      const query = await queryOf("front");
      const waits = (of: string, model: string, upTo: string, all = "0+100x60") => {
        const labels = `${of},model="${model}"`;
        const bucket = (le: string) => `sentiment_queue_seconds_bucket{${labels},le="${le}"}`;
        const count = `sentiment_queue_seconds_count{${labels}}`;
        return { [bucket("0.1")]: upTo, [bucket("0.2")]: all, [bucket("+Inf")]: all, [count]: all };
      };
      // 90 of 100 rows wait up to 0.1 seconds, the others up to 0.2: the 95th is in the midst of those.
      const busy = { ...waits(OWN, "fast", "0+100x60"), ...waits(OWN, "balanced", "0+90x60") };
      await evaluate(query, { ...busy, ...waits(OTHER, "fast", "0+0x60") }, 150);
      await evaluate(query, waits(OWN, "fast", "5+0x60", "5+0x60"), 0);
    });

    it("are the longest mean wait of a model in Triton, and 0 without any", async () => {
      const query = await queryOf("triton");
      const waits = (of: string, model: string, us: string, requests = "0+10x60") => {
        const labels = `${of},model="${model}",version="1"`;
        return {
          [`nv_inference_queue_duration_us{${labels}}`]: us,
          [`nv_inference_request_success{${labels}}`]: requests,
        };
      };
      const busy = { ...waits(OWN, "fast", "0+1000x60"), ...waits(OWN, "accurate", "0+500000x60") };
      await evaluate(query, { ...busy, ...waits(OTHER, "fast", "0+9000000x60") }, 50);
      await evaluate(query, waits(OWN, "fast", "7+0x60", "7+0x60"), 0);
    });
  });

describe("the queue times that KEDA asks for", function () {
  this.timeout(60_000);

  for (const component of ["front", "triton"])
    it(`are 0 where nothing of the ${component} was scraped yet`, async () =>
      evaluate(await kedaQuery(component), {}, 0));
});
