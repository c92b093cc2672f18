import assert from "node:assert/strict";
import { type Config, loadConfig } from "../../server/config.js";
import { Settings } from "../../server/settings.js";
import { type Manifest, manifests, type Pod, podsOf, valuesFiles } from "../support/chart.js";
import { DRAIN_SECONDS } from "../support/drain-seconds.js";

interface Container {
  readonly name: string;
  readonly env?: readonly { readonly name: string; readonly value?: string }[];
  readonly ports?: readonly { readonly name: string; readonly containerPort: number }[];
  readonly volumeMounts?: readonly { readonly name: string; readonly mountPath: string }[];
  // biome-ignore lint/suspicious/noExplicitAny: Kubernetes's own, which kubeconform has checked.
  readonly [part: string]: any;
}

const containersOf = ({ spec }: Pod): readonly Container[] => [
  ...(spec.initContainers ?? []),
  ...spec.containers,
];
const firstOf = ({ spec }: Pod): Container => spec.containers[0];

/** The restricted Pod Security Standard, and what goes beyond it here. */
function checkSecurity(pod: Pod): void {
  const { securityContext, automountServiceAccountToken, enableServiceLinks } = pod.spec;
  assert.equal(securityContext.runAsNonRoot, true);
  assert.ok(securityContext.runAsUser > 0);
  assert.equal(securityContext.seccompProfile.type, "RuntimeDefault");
  assert.deepEqual([automountServiceAccountToken, enableServiceLinks], [false, false]);
  for (const { name, securityContext: own } of containersOf(pod))
    assert.deepEqual(
      own,
      {
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ["ALL"] },
      },
      name,
    );
}

function checkResources(pod: Pod): void {
  for (const { name, resources } of containersOf(pod))
    for (const side of ["limits", "requests"])
      for (const what of ["cpu", "memory"])
        assert.ok(resources[side][what], `${name}: ${side} ${what}`);
}

const LASTING = ["readinessProbe", "livenessProbe"];
const PROBES = ["startupProbe", ...LASTING];
/** Redis is up at once; `call` makes one and ends. */
const PROBES_OF: Readonly<Record<string, readonly string[]>> = {
  front: PROBES,
  gateway: PROBES,
  triton: PROBES,
  redis: LASTING,
  call: [],
};

function checkProbes(pod: Pod): void {
  const { ports = [], ...container } = firstOf(pod);
  for (const kind of PROBES_OF[container.name] ?? assert.fail(container.name)) {
    const { exec, grpc, httpGet } = container[kind] ?? assert.fail(`${container.name}: no ${kind}`);
    assert.ok(
      exec ||
        ports.some(
          ({ name, containerPort }) => containerPort === grpc?.port || name === httpGet?.port,
        ),
      `${container.name}: ${kind}`,
    );
  }
}

/** Each mount has its volume, at a place of its own, and each volume a use. */
function checkVolumes(pod: Pod): void {
  const mounts = containersOf(pod).flatMap(({ volumeMounts = [] }) => volumeMounts);
  const volumes = (pod.spec.volumes ?? []).map(({ name }: { name: string }) => name);
  assert.deepEqual([...new Set(mounts.map(({ name }) => name))].sort(), volumes.sort());
  for (const { name, volumeMounts = [] } of containersOf(pod)) {
    const places = volumeMounts.map(({ mountPath }) => mountPath);
    assert.equal(new Set(places).size, places.length, name);
  }
}

/** What Kubernetes puts in the place of a reference. */
const FILLED: Readonly<Record<string, string>> = {
  MEMORY_LIMIT: String(4 * 2 ** 30),
  REDIS_URL: "redis://:password@redis:6379",
};

/** The settings that a pod of the server starts with: throws where it would not start. */
function configOf(pod: Pod): Config {
  const env = (firstOf(pod).env ?? []).map(({ name, value }) => [name, value ?? FILLED[name]]);
  const names = env.map(([name]) => name);
  assert.equal(new Set(names).size, names.length, names.join());
  const known = [...Object.keys(Settings.shape), "REDIS_PASSWORD", "K8S_POD_NAME"];
  for (const [name = ""] of env) assert.ok(known.includes(name) || name.startsWith("OTEL_"), name);
  return loadConfig(Object.fromEntries(env));
}

/** Kubernetes kills what is not done by then: the drain must be. */
function checkEnd(pod: Pod, { requestTimeoutMs }: Config): void {
  const { lifecycle } = firstOf(pod);
  const waits = lifecycle?.preStop.sleep.seconds ?? 0;
  const drain = waits + DRAIN_SECONDS + requestTimeoutMs / 1000;
  assert.ok(pod.spec.terminationGracePeriodSeconds > drain);
}

function checkBridgeEnd(pod: Pod): void {
  const { env = [] } = firstOf(pod);
  const secondsOf = (name: string, standard: number) =>
    Number(env.find((one) => one.name === name)?.value ?? standard);
  const drain = secondsOf("DRAIN_DELAY", 5) + secondsOf("DRAIN_TIMEOUT", 30);
  assert.ok(pod.spec.terminationGracePeriodSeconds > drain);
}

describe("pods of the Helm chart", function () {
  this.timeout(60_000);

  for (const [name, file] of valuesFiles())
    describe(`with ${name}`, () => {
      let all: readonly Manifest[];
      let pods: readonly Pod[];
      const of = (container: string) => pods.filter((pod) => firstOf(pod).name === container);
      before(async () => {
        all = await manifests("a-release", ["--values", file]);
        pods = podsOf(all);
        assert.ok(pods.length > 0);
      });

      it("run restricted, and without a token", () => pods.forEach(checkSecurity));
      it("have bounds for CPU and memory", () => pods.forEach(checkResources));
      it("are probed at ports that they have", () => pods.forEach(checkProbes));
      it("mount what they have", () => pods.forEach(checkVolumes));

      it("start the server with settings that it takes, and let it drain", () => {
        assert.equal(of("front").length, 1);
        for (const pod of of("front")) checkEnd(pod, configOf(pod));
        of("gateway").forEach(checkBridgeEnd);
      });
    });

  it("have the guide's bounds and settings by default", async () => {
    const all = await manifests("a-release");
    const [front] = podsOf(all).filter((pod) => firstOf(pod).name === "front");
    assert.ok(front);
    const { resources, env = [] } = firstOf(front);
    assert.deepEqual(resources, {
      limits: { cpu: "2", memory: "4Gi" },
      requests: { cpu: "1", memory: "2Gi" },
    });
    const textOf = (name: string) => env.find((one) => one.name === name)?.value;
    assert.equal(textOf("OMP_NUM_THREADS"), "2");
    assert.equal(textOf("TOKENIZERS_PARALLELISM"), "false");
  });

  it("have settings as the server reads them, however large or small", async () => {
    const file = valuesFiles().get("secured") ?? "";
    const [front] = podsOf(await manifests("a", ["--values", file]));
    assert.ok(front);
    const { quota, callLog, memoryLimitBytes } = configOf(front);
    assert.deepEqual([quota.tokensPerMinute, callLog.sample], [1e12, 0.00001]);
    assert.equal(memoryLimitBytes, 4 * 2 ** 30);
  });
});
