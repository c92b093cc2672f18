/**
 * What compose.yaml runs, started here without containers: the environment and the commands are Docker Compose's, and only addresses, which are names of containers there, are this machine's.
 * Run it by test/full/compose.sh; needs `make gateway` before.
 */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { homedir } from "node:os";
import { delimiter, join, resolve } from "node:path";
import { promisify } from "node:util";
import { startInBackground } from "../support/background-process.js";
import { composed, type Project, type Service } from "../support/docker-compose.js";
import { freePorts, listens } from "../support/ports.js";
import { prometheusTool } from "../support/prometheus-server.js";
import { startRedis } from "../support/redis-server.js";
import { scratchFolder } from "../support/scratch-folder.js";
import { startServer } from "../support/server-process.js";
import { startTriton } from "../support/triton-server.js";

const READY_MS = 20_000;
const GATEWAY = resolve("build/sentiment-gateway");
const CACHE = process.env["CACHE"] ?? join(homedir(), ".cache/sentiment-analyzer-pro");
const run = promisify(execFile);

/** Of the service itself, or else of its image. Docker Compose has doubled each `$`. */
function checkOf({ healthcheck, build }: Service): readonly string[] {
  if (healthcheck) return healthcheck.test.map((word) => word.replaceAll("$$", "$"));
  assert.ok(build);
  const text = readFileSync(join(build.context, build.dockerfile), "utf8");
  const [, words = "[]"] = /^HEALTHCHECK (?:--\S+\s+(?:\\\n\s*)?)*CMD (\[.*\])$/m.exec(text) ?? [];
  return ["CMD", ...JSON.parse(words)];
}

/** Runs it as Docker does, with other addresses and places; rejects where it fails. */
async function check(
  service: Service,
  places: Readonly<Record<string, string>>,
  env: NodeJS.ProcessEnv = {},
): Promise<void> {
  const [kind, ...words] = checkOf(service).map((word) => replaced(word, places));
  const [command = "", ...args] = kind === "CMD-SHELL" ? ["sh", "-c", ...words] : words;
  await run(command, args, { env: { PATH: process.env["PATH"], ...env } });
}

function replaced(text: string, places: Readonly<Record<string, string>>): string {
  return Object.entries(places).reduce((so, [name, place]) => so.replaceAll(name, place), text);
}

function environmentOf(
  { environment = {} }: Service,
  places: Readonly<Record<string, string>>,
): Record<string, string> {
  const pairs = Object.entries(environment).map(([name, value]) => [name, replaced(value, places)]);
  return Object.fromEntries(pairs);
}

function serviceOf({ services }: Project, name: string): Service {
  return services[name] ?? assert.fail(name);
}

describe("what Docker Compose would run", function () {
  this.timeout(120_000);

  it("answers over HTTP, keeps answers in Redis, and passes its health checks", async () => {
    await using left = new AsyncDisposableStack();
    const project = await composed(["compose"]);
    const redisService = serviceOf(project, "redis");
    const redis = left.use(await startRedis({ args: redisService.command?.slice(1) ?? [] }));
    const libraries = join(CACHE, "redis/usr/lib/x86_64-linux-gnu");
    await check(
      redisService,
      { "redis-cli": `redis-cli -p ${redis.port}` },
      {
        PATH: `${join(CACHE, "redis/usr/bin")}${delimiter}${process.env["PATH"]}`,
        LD_LIBRARY_PATH: libraries,
      },
    );
    const sentiment = serviceOf(project, "sentiment");
    const server = left.use(
      await startServer(environmentOf(sentiment, { "redis://redis:6379": redis.url })),
    );
    const [, opsPort = ""] = server.opsAddress.split(":");
    await check(sentiment, {}, { HTTP_PORT: opsPort });
    const gateway = serviceOf(project, "gateway");
    const [port = 0] = await freePorts(1);
    const env = {
      ...environmentOf(gateway, {
        "sentiment:50051": server.address,
        "sentiment:9464": server.opsAddress,
      }),
      GATEWAY_PORT: String(port),
    };
    const bridge = startInBackground(GATEWAY, [], env);
    left.defer(bridge.kill);
    await bridge.until(() => listens(port), READY_MS);
    await check(gateway, { "/sentiment-gateway": GATEWAY }, env);
    const answer = await fetch(`http://127.0.0.1:${port}/api/analyze`, {
      method: "POST",
      body: JSON.stringify({ text: "A container would love it as well." }),
    });
    assert.match(await answer.text(), /"label": ?"LABEL_POSITIVE"/);
    while (!/^:[1-9]/.test(await redis.ask("DBSIZE"))) await new Promise(setImmediate);
    const live = await fetch(`http://127.0.0.1:${port}/api/live`);
    assert.match(await live.text(), /"answered":1\b/);
  });

  it("asks Triton whether it is ready", async () => {
    await using triton = await startTriton({ models: ["sentiment_fast"] });
    const service = serviceOf(await composed(["compose", "compose.gpu"]), "triton");
    await check(service, { "127.0.0.1/8000": `127.0.0.1/${triton.ports.http}` });
    await triton.kill();
    await assert.rejects(check(service, { "127.0.0.1/8000": `127.0.0.1/${triton.ports.http}` }));
  });

  it("starts Prometheus with its rules, and asks it whether it is ready", async () => {
    await using left = new AsyncDisposableStack();
    const service = serviceOf(await composed(["compose", "compose.observability"]), "prometheus");
    const folder = left.use(await scratchFolder());
    const [port = 0] = await freePorts(1);
    const places = {
      "=/etc/prometheus/": `=${resolve("deploy/prometheus")}/`,
      "=/prometheus": `=${folder.path}`,
      "127.0.0.1:9090": `127.0.0.1:${port}`,
      promtool: prometheusTool("promtool"),
    };
    const flags = (service.command ?? []).map((word) => replaced(word, places));
    const prometheus = startInBackground(prometheusTool("prometheus"), [
      ...flags,
      `--web.listen-address=127.0.0.1:${port}`,
    ]);
    left.defer(prometheus.kill);
    const isReady = () =>
      check(service, places).then(
        () => true,
        () => false,
      );
    await prometheus.until(isReady, READY_MS);
    const answer = await fetch(`http://127.0.0.1:${port}/api/v1/rules`);
    assert.match(await answer.text(), /"name":"SentimentSlow"/);
  });
});
