import { existsSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { homedir, tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { startInBackground } from "./background-process.js";
import { freePorts } from "./ports.js";

const READY_MS = 20_000;
const RULES = resolve("deploy/prometheus/rules/*.yml");

interface Sample {
  readonly metric: Readonly<Record<string, string>>;
  readonly value: number;
}

export interface Rule {
  readonly name: string;
  readonly type: "alerting" | "recording";
  readonly query: string;
  /** `ok`, or why not. */
  readonly health: string;
}

export interface PrometheusServer extends AsyncDisposable {
  /** What an expression gives now; rejects when it is none. */
  query(expression: string): Promise<readonly Sample[]>;
  /** As it has loaded them, after their first turn. */
  rules(): Promise<readonly Rule[]>;
}

/** What install.sh got, or what is on the PATH. */
export function prometheusTool(name: "prometheus" | "promtool"): string {
  const cache = process.env["CACHE"] ?? join(homedir(), ".cache/sentiment-analyzer-pro");
  const unpacked = join(cache, "prometheus/usr/bin", name);
  return existsSync(unpacked) ? unpacked : name;
}

/** A real Prometheus with the rules of deploy/, in a folder of its own that goes with it, which scrapes each job's `address:port` each second. */
export async function startPrometheus(
  jobs: Readonly<Record<string, string>>,
): Promise<PrometheusServer> {
  const [port = 0] = await freePorts(1);
  const folder = await mkdtemp(join(tmpdir(), "prometheus-"));
  const config = join(folder, "prometheus.yml");
  // JSON is YAML.
  await writeFile(config, JSON.stringify(configOf(jobs)));
  const flags = [
    `--config.file=${config}`,
    `--storage.tsdb.path=${join(folder, "data")}`,
    `--web.listen-address=127.0.0.1:${port}`,
  ];
  const server = startInBackground(prometheusTool("prometheus"), flags);
  const url = `http://127.0.0.1:${port}`;
  const dispose = async () => {
    await server.kill();
    await rm(folder, { recursive: true, force: true });
  };
  await server
    .until(() => isReady(url), READY_MS)
    .catch(async (error: unknown) => {
      await dispose();
      throw error;
    });
  return {
    async query(expression) {
      const query = `query?${new URLSearchParams({ query: expression })}`;
      const { result } = await answerOf<{ result: readonly RawSample[] }>(url, query);
      return result.map(({ metric, value }) => ({ metric, value: Number(value[1]) }));
    },
    async rules() {
      const { groups } = await answerOf<{ groups: readonly { rules: Rule[] }[] }>(url, "rules");
      return groups.flatMap(({ rules }) => rules);
    },
    [Symbol.asyncDispose]: dispose,
  };
}

const configOf = (jobs: Readonly<Record<string, string>>) => ({
  global: { scrape_interval: "1s", scrape_timeout: "1s", evaluation_interval: "1s" },
  rule_files: [RULES],
  scrape_configs: Object.entries(jobs).map(([job_name, target]) => ({
    job_name,
    static_configs: [{ targets: [target] }],
  })),
});

interface RawSample {
  readonly metric: Sample["metric"];
  readonly value: readonly [seconds: number, value: string];
}

async function isReady(url: string): Promise<boolean> {
  try {
    return (await fetch(`${url}/-/ready`)).ok;
  } catch {
    return false;
  }
}

/** The data of its HTTP API. */
async function answerOf<Data>(url: string, path: string): Promise<Data> {
  const response = await fetch(`${url}/api/v1/${path}`);
  const answer = (await response.json()) as { status: string; error?: string; data: Data };
  if (answer.status !== "success") throw new Error(`${answer.error}: ${path}`);
  return answer.data;
}
