import assert from "node:assert/strict";
import {
  type Manifest,
  manifests,
  ofKind,
  podsOf,
  selects,
  valuesFiles,
} from "../support/chart.js";

/** What helps to look at what belongs together. */
function world(all: readonly Manifest[]) {
  const pods = podsOf(all);
  const services = ofKind(all, "Service");
  const portsOf = (labels: Record<string, string>) =>
    pods
      .filter((pod) => selects(labels, pod))
      .flatMap(({ spec }) => spec.containers.flatMap(({ ports = [] }) => ports))
      .map(({ name }: { name: string }) => name);
  const service = (name: string) => {
    const found = services.find(({ metadata }) => metadata.name === name);
    assert.ok(found, `there is no Service ${name}`);
    return found;
  };
  return { all, pods, services, portsOf, service };
}

type World = ReturnType<typeof world>;

/** Each selects the pods of one Deployment, and sends to ports that they have. */
function checkServices({ pods, services, portsOf }: World): void {
  for (const { metadata, spec } of services) {
    assert.equal(pods.filter((pod) => selects(spec.selector, pod)).length, 1, metadata.name);
    for (const { targetPort } of spec.ports) assert.ok(portsOf(spec.selector).includes(targetPort));
  }
}

function checkDeployments({ all, pods }: World): void {
  for (const { spec, metadata } of ofKind(all, "Deployment")) {
    const { matchLabels } = spec.selector;
    // What an upgrade would have to change is not among them.
    const names = ["component", "instance", "name"].map((name) => `app.kubernetes.io/${name}`);
    assert.deepEqual(Object.keys(matchLabels).sort(), names);
    const selected = pods.filter((pod) => selects(matchLabels, pod)).map(({ name }) => name);
    assert.deepEqual(selected, [metadata.name]);
  }
}

function checkPolicies({ all, pods, portsOf }: World): void {
  for (const { spec } of ofKind(all, "PodDisruptionBudget"))
    assert.equal(pods.filter((pod) => selects(spec.selector.matchLabels, pod)).length, 1);
  const policies = ofKind(all, "NetworkPolicy");
  for (const { spec } of policies) {
    const { matchLabels } = spec.podSelector;
    assert.equal(pods.filter((pod) => selects(matchLabels, pod)).length, 1);
    for (const { ports } of spec.ingress)
      for (const { port } of ports) assert.ok(portsOf(matchLabels).includes(port), port);
  }
  if (policies.length > 0) assert.equal(policies.length, ofKind(all, "Deployment").length);
}

function checkScaling({ all }: World): void {
  const deployments = ofKind(all, "Deployment");
  const scaled = ofKind(all, "HorizontalPodAutoscaler", "ScaledObject").map(
    ({ spec }) => spec.scaleTargetRef.name,
  );
  for (const { metadata, spec } of deployments) {
    // Two who say how many there are would take turns.
    const counts = scaled.filter((name) => name === metadata.name).length;
    assert.equal(counts + Number(spec.replicas !== undefined), 1, metadata.name);
  }
}

function checkMonitors({ all, pods, services, portsOf }: World): void {
  for (const { kind, spec } of ofKind(all, "ServiceMonitor", "PodMonitor")) {
    const { matchLabels } = spec.selector;
    const ofService = (labels: object) =>
      services.filter(({ metadata }) => selects(labels as Record<string, unknown>, metadata));
    // A pod that two Services lead to would be counted twice.
    const found =
      kind === "PodMonitor"
        ? pods.filter((pod) => selects(matchLabels, pod))
        : ofService(matchLabels);
    assert.equal(found.length, 1);
    const [{ port }] = spec.endpoints ?? spec.podMetricsEndpoints;
    const names =
      kind === "PodMonitor"
        ? portsOf(matchLabels)
        : ofService(matchLabels).flatMap((one) =>
            one.spec.ports.map(({ name }: { name: string }) => name),
          );
    assert.ok(names.includes(port), port);
  }
}

/** Neither metrics nor the admin's calls are for those from outside. */
const OURS_ALONE = /metrics|Admin/;

function checkIngresses({ all, service }: World): void {
  const rules = ofKind(all, "Ingress").flatMap(({ spec }) => spec.rules);
  for (const { path, backend } of rules.flatMap(({ http }) => http.paths)) {
    const { ports } = service(backend.service.name).spec;
    assert.ok(ports.some(({ name }: { name: string }) => name === backend.service.port.name));
    assert.doesNotMatch(path, OURS_ALONE);
  }
}

function checkRoutes({ all, service }: World): void {
  const rules = ofKind(all, "GRPCRoute", "HTTPRoute").flatMap(({ spec }) => spec.rules);
  for (const { name, port } of rules.flatMap(({ backendRefs }) => backendRefs))
    assert.ok(service(name).spec.ports.some((one: { port: number }) => one.port === port));
  for (const { matches } of rules) assert.doesNotMatch(JSON.stringify(matches), OURS_ALONE);
}

describe("what belongs together in the Helm chart", function () {
  this.timeout(60_000);

  for (const [name, file] of valuesFiles())
    it(`does so with ${name}`, async () => {
      const there = world(await manifests("a-release", ["--values", file]));
      checkServices(there);
      checkDeployments(there);
      checkPolicies(there);
      checkScaling(there);
      checkMonitors(there);
      checkIngresses(there);
      checkRoutes(there);
    });

  it("the bridge asks the pods of the server by the name of all, at their port", async () => {
    const { pods, service } = world(await manifests("a", ["--set", "settings.GRPC_PORT=5000"]));
    const env = pods.flatMap(({ spec }) => spec.containers.flatMap(({ env = [] }) => env));
    const target = env.find(({ name }: { name: string }) => name === "SENTIMENT_ADDRESS")?.value;
    assert.equal(target, "dns:///a-sentiment-analyzer-pro-headless.reviews.svc:5000");
    const { spec } = service("a-sentiment-analyzer-pro-headless");
    assert.equal(spec.clusterIP, "None");
    assert.equal(spec.ports[0].port, 5000);
  });

  it("scales as the guide says", async () => {
    const [scaler, ...others] = ofKind(await manifests("a"), "HorizontalPodAutoscaler");
    assert.ok(scaler && others.length === 0);
    const { minReplicas, maxReplicas, metrics, behavior } = scaler.spec;
    assert.deepEqual([minReplicas, maxReplicas], [2, 10]);
    const targets = metrics.map((one: Manifest["spec"]) => [
      one.resource.name,
      one.resource.target.averageUtilization,
    ]);
    assert.deepEqual(targets, [
      ["cpu", 70],
      ["memory", 80],
    ]);
    assert.ok(behavior.scaleUp.policies.length > 0 && behavior.scaleDown.policies.length > 0);
  });
});
