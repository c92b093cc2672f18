/** The files of deploy/docker and deploy/swarm, as Docker Compose and `docker stack` read them. Run it by test/full/compose.sh; needs a docker client (25 or later), and no engine. */
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { loadConfig } from "../../server/config.js";
import { readYaml } from "../support/deploy-files.js";
import { composed, type Project, type Service, stack } from "../support/docker-compose.js";
import { DRAIN_SECONDS } from "../support/drain-seconds.js";

const { version } = JSON.parse(readFileSync("package.json", "utf8"));
const OURS = ["sentiment-analyzer-pro", "sentiment-gateway"];
/** All that are meant to be put together. */
const COMBINATIONS = [
  ["compose"],
  ["compose", "compose.keys"],
  ["compose", "compose.tls"],
  ["compose", "compose.keys", "compose.tls", "compose.observability"],
  ["compose", "compose.gpu"],
  ["compose", "compose.gpu", "compose.observability"],
  ["compose", "compose.observability"],
  ["compose", "compose.scale"],
  ["compose", "compose.scale", "compose.keys", "compose.observability"],
  ["compose", "compose.scale", "compose.gpu", "compose.keys", "compose.observability"],
];
/** They have nothing in them to check with. */
const UNCHECKED = ["collector", "jaeger"];
/** What the user brings. */
const BROUGHT = /\/(keys|tls)$/;
const GIB = 2 ** 30;

/** "45s", "1m0s" */
const seconds = (duration = "") =>
  [...duration.matchAll(/(\d+)([ms])/g)].reduce(
    (sum, [, number, unit]) => sum + Number(number) * (unit === "m" ? 60 : 1),
    0,
  );

const hasCheck = ({ build, healthcheck }: Service) =>
  healthcheck !== undefined ||
  (build !== undefined &&
    /^HEALTHCHECK /m.test(readFileSync(join(build.context, build.dockerfile), "utf8")));

/** Of a version that is named to the last part, or ours of this one. */
function checkImage({ image }: Service): void {
  const [name = "", tag = ""] = image.split(":");
  if (OURS.includes(name)) assert.equal(tag, version, image);
  else assert.match(tag, /^v?\d+\.\d+/, image);
}

function checkHardened(name: string, service: Service): void {
  assert.deepEqual(service.cap_drop, ["ALL"], name);
  assert.equal(service.read_only ?? false, name !== "triton", name);
  assert.ok(service.logging?.options?.["max-size"], name);
}

/** As the guide has them; and the settings fit. */
function checkServer({ deploy, environment = {}, stop_grace_period }: Service): void {
  const { limits, reservations } = deploy?.resources ?? {};
  assert.deepEqual([Number(limits?.cpus), Number(limits?.memory)], [2, 4 * GIB]);
  assert.deepEqual([Number(reservations?.cpus), Number(reservations?.memory)], [1, 2 * GIB]);
  const config = loadConfig(environment);
  assert.equal(environment["OMP_NUM_THREADS"], "2");
  assert.equal(environment["TOKENIZERS_PARALLELISM"], "false");
  assert.equal(config.memoryLimitBytes, 4 * GIB);
  assert.ok(seconds(stop_grace_period) >= config.requestTimeoutMs / 1000 + DRAIN_SECONDS);
}

/** Its own standards: DRAIN_DELAY 5, DRAIN_TIMEOUT 30. */
function checkGateway({ environment = {}, stop_grace_period }: Service): void {
  const { DRAIN_DELAY = "5", DRAIN_TIMEOUT = "30" } = environment;
  assert.ok(seconds(stop_grace_period) > Number(DRAIN_DELAY) + Number(DRAIN_TIMEOUT));
}

function partsOf({ services }: Project): { sentiment: Service; gateway: Service } {
  const { sentiment, gateway } = services;
  assert.ok(sentiment && gateway);
  return { sentiment, gateway };
}

/** Names that Prometheus and Grafana look for. */
function checkTargets({ services }: Project): void {
  const { scrape_configs } = readYaml("deploy/prometheus/prometheus.yml") as {
    scrape_configs: readonly { dns_sd_configs: readonly [{ names: readonly string[] }] }[];
  };
  const names = scrape_configs.map(({ dns_sd_configs: [{ names }] }) => names);
  assert.deepEqual(names, [["sentiment"], ["triton"], ["gateway-http", "gateway-https"]]);
  for (const name of ["sentiment", "triton", "gateway"]) {
    if (name === "triton" && services[name] === undefined) continue;
    // They are scraped over a network that Prometheus is in, too.
    assert.ok(services[name]?.networks && "default" in services[name].networks, name);
  }
  const { gateway } = services;
  const scheme = gateway?.environment?.["TLS_CERT"] === undefined ? "http" : "https";
  assert.deepEqual(gateway?.networks?.["default"]?.aliases, [`gateway-${scheme}`]);
  const { datasources } = readYaml("deploy/grafana/provisioning/datasources/prometheus.yml") as {
    datasources: readonly { url: string }[];
  };
  assert.deepEqual(
    datasources.map(({ url }) => url),
    ["http://prometheus:9090"],
  );
}

function checkCollector({ environment = {} }: Service): void {
  const text = readFileSync("deploy/otel/collector.yaml", "utf8");
  for (const name of Object.keys(environment)) assert.ok(text.includes(`\${env:${name}`), name);
}

describe("the files for Docker", function () {
  this.timeout(60_000);

  for (const names of COMBINATIONS)
    describe(names.join(" + "), () => {
      let project: Project;
      let services: readonly [string, Service][];
      before(async () => {
        project = await composed(names);
        services = Object.entries(project.services);
      });

      it("keep to what a service may do", () => {
        for (const [name, service] of services) {
          checkHardened(name, service);
          assert.deepEqual(service.security_opt, ["no-new-privileges:true"], name);
          assert.equal(service.restart, "unless-stopped", name);
          assert.equal(hasCheck(service), !UNCHECKED.includes(name), name);
          if (name !== "triton") assert.ok(service.deploy?.resources?.limits?.memory, name);
        }
      });

      it("name images by their versions", () => {
        for (const [, service] of services) checkImage(service);
      });

      it("publish on this machine alone, and mount what is there, read-only", () => {
        const all = services.map(([, service]) => service);
        const ports = all.flatMap((service) => service.ports ?? []);
        assert.deepEqual(
          ports.filter(({ host_ip }) => host_ip !== "127.0.0.1"),
          [],
        );
        const mounts = all
          .flatMap((service) => service.volumes ?? [])
          .filter(({ type }) => type === "bind");
        const isThere = (source: string) => BROUGHT.test(source) || existsSync(source);
        assert.deepEqual(
          mounts.filter(({ source, read_only }) => !read_only || !isThere(source)),
          [],
        );
      });

      it("give the server and the bridge what they need", () => {
        const { sentiment, gateway } = partsOf(project);
        checkServer(sentiment);
        checkGateway(gateway);
      });

      if (names.includes("compose.observability"))
        it("let Prometheus, Grafana and the collector find each other", () => {
          checkTargets(project);
          const { sentiment, collector } = project.services;
          assert.ok(sentiment && collector);
          checkCollector(collector);
          const { OTEL_EXPORTER_OTLP_ENDPOINT: url = "" } = sentiment.environment ?? {};
          assert.equal(new URL(url).hostname, "collector");
        });
    });

  it("publish calls, and no more, where BIND_ADDRESS says", async () => {
    const names = ["compose", "compose.observability"];
    const { services } = await composed(names, { BIND_ADDRESS: "0.0.0.0" });
    const ports = Object.values(services).flatMap((service) => service.ports ?? []);
    const open = ports.filter(({ host_ip }) => host_ip !== "127.0.0.1");
    assert.deepEqual(open.map(({ target }) => target).toSorted(), [50051, 8080]);
  });

  it("have as many servers behind nginx as FRONTS says, which are not published", async () => {
    const names = ["compose", "compose.scale"];
    for (const [given, wanted] of [
      [{}, 3],
      [{ FRONTS: "5" }, 5],
    ] as const) {
      const { sentiment, gateway } = partsOf(await composed(names, given));
      assert.equal(sentiment.deploy?.replicas, wanted);
      assert.deepEqual([sentiment.ports, gateway.ports], [undefined, undefined]);
    }
  });

  it("give Triton a GPU, and the server the same models", async () => {
    const { services } = await composed(["compose", "compose.gpu"]);
    const { sentiment, triton } = services;
    const { reservations } = triton?.deploy?.resources ?? {};
    const [device] = reservations?.devices ?? [];
    assert.deepEqual([device?.driver, device?.capabilities], ["nvidia", ["gpu"]]);
    const sources = [triton, sentiment].map((service) => service?.volumes?.at(0)?.source);
    assert.equal(sources[0], sources[1]);
    const { backends, tritonUrls } = loadConfig(sentiment?.environment ?? {});
    assert.deepEqual([backends, tritonUrls], [["triton", "embedded"], ["triton:8001"]]);
  });

  it("roll two servers over in a swarm, and start them again however they end", async () => {
    const project = await stack();
    for (const [name, service] of Object.entries(project.services)) {
      checkImage(service);
      checkHardened(name, service);
      assert.ok(service.deploy?.resources?.limits?.memory, name);
    }
    const { sentiment, gateway } = partsOf(project);
    checkServer(sentiment);
    checkGateway(gateway);
    for (const { deploy } of [sentiment, gateway]) {
      const { order, parallelism, failure_action } = deploy?.update_config ?? {};
      assert.deepEqual([order, parallelism, failure_action], ["start-first", 1, "rollback"]);
      const { condition, delay, max_attempts } = deploy?.restart_policy ?? {};
      assert.deepEqual([condition, delay, max_attempts], ["any", "5s", undefined]);
      assert.equal(deploy?.replicas, 2);
    }
  });
});
