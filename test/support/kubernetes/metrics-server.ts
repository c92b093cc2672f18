import { once } from "node:events";
import { readFile } from "node:fs/promises";
import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer } from "node:https";
import { certificates, contentsOf } from "../certificates.js";
import { freePorts } from "../ports.js";
import type { Cluster } from "./cluster.js";
import { type Conditions, hasCondition } from "./condition.js";
import { quantityOf } from "./quantity.js";

const GROUP = "metrics.k8s.io";
const VERSION = `${GROUP}/v1beta1`;
const SERVICE = { name: "metrics", namespace: "kube-system" };
const PODS = /^\/apis\/metrics\.k8s\.io\/v1beta1\/namespaces\/(?<namespace>[^/]+)\/pods$/;

interface Load {
  /** What so many pods request, spread evenly over those that are ready. */
  readonly cpu: number;
  /** Share of what each requests. */
  readonly memory: number;
}

export interface MetricsServer extends AsyncDisposable {
  /** What pods with that `app.kubernetes.io/component` are said to use from now on. */
  feed(component: string, load: Load): void;
}

interface Pod {
  readonly metadata: {
    readonly name: string;
    readonly namespace: string;
    readonly labels: Readonly<Record<string, string>>;
    readonly deletionTimestamp?: string;
  };
  readonly spec: {
    readonly containers: readonly {
      readonly name: string;
      readonly resources: { readonly requests: { readonly cpu: string; readonly memory: string } };
    }[];
  };
  readonly status: Conditions;
}

/** Answers as metrics.k8s.io of the cluster, of the pods that there are, with figures that are fed by hand. Nothing is known of pods that are not ready or were fed nothing. */
export async function startMetricsServer({ api, kubectl }: Cluster): Promise<MetricsServer> {
  await using left = new AsyncDisposableStack();
  const made = left.use(await certificates());
  const pair = await made.make("metrics", {
    names: `DNS:${SERVICE.name}.${SERVICE.namespace}.svc`,
  });
  const [cert, key] = await contentsOf(pair);
  const [port = 0] = await freePorts(1);
  const fed = new Map<string, Load>();

  const answer = async (url: URL): Promise<object | undefined> => {
    if (url.pathname === `/apis/${VERSION}`) return resources;
    const namespace = PODS.exec(url.pathname)?.groups?.["namespace"];
    if (namespace === undefined) return undefined;
    const path = `/api/v1/namespaces/${namespace}/pods${url.search}`;
    const { items } = await api.get<{ items: readonly Pod[] }>(path);
    const ready = items.filter(
      ({ metadata, status }) => !metadata.deletionTimestamp && hasCondition(status, "Ready"),
    );
    const metrics = ready.flatMap((pod) => {
      const load = fed.get(componentOf(pod));
      if (load === undefined) return [];
      const sharers = ready.filter((other) => componentOf(other) === componentOf(pod));
      return [metricsOf(pod, { ...load, cpu: load.cpu / sharers.length })];
    });
    return { kind: "PodMetricsList", apiVersion: VERSION, metadata: {}, items: metrics };
  };
  const server = createServer(
    { cert, key },
    (request: IncomingMessage, response: ServerResponse) => {
      const reply = (code: number, body: object) =>
        response.writeHead(code, { "content-type": "application/json" }).end(JSON.stringify(body));
      answer(new URL(request.url ?? "", "https://metrics")).then(
        (body) => (body === undefined ? reply(404, {}) : reply(200, body)),
        (error: unknown) => reply(500, { message: String(error) }),
      );
    },
  );
  await once(server.listen(port, "127.0.0.1"), "listening");
  left.defer(async () => {
    server.closeAllConnections();
    await once(server.close(), "close");
  });
  const manifest = registration(port, await readFile(pair.cert));
  await kubectl(["create", "--filename=-"], JSON.stringify(manifest));
  await kubectl([
    "wait",
    "--for=condition=Available",
    `apiservice/v1beta1.${GROUP}`,
    "--timeout=60s",
  ]);
  const owned = left.move();
  return {
    feed: (component, load) => fed.set(component, load),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

const resources = {
  kind: "APIResourceList",
  apiVersion: "v1",
  groupVersion: VERSION,
  resources: [{ name: "pods", namespaced: true, kind: "PodMetrics", verbs: ["list"] }],
};

const componentOf = ({ metadata }: Pod) => metadata.labels["app.kubernetes.io/component"] ?? "";

/** With `cpu` and `memory` as shares of what each container requests. */
const metricsOf = ({ metadata, spec }: Pod, { cpu, memory }: Load) => ({
  metadata,
  timestamp: new Date().toISOString(),
  window: "1s",
  containers: spec.containers.map(({ name, resources: { requests } }) => ({
    name,
    usage: {
      cpu: `${Math.round(quantityOf(requests.cpu) * cpu * 1000)}m`,
      memory: `${Math.round(quantityOf(requests.memory) * memory)}`,
    },
  })),
});

/** Where the API server finds it, and by which certificate. */
const registration = (port: number, certificate: Buffer) => ({
  apiVersion: "v1",
  kind: "List",
  items: [
    {
      apiVersion: "v1",
      kind: "Service",
      metadata: SERVICE,
      spec: { type: "ExternalName", externalName: "localhost", ports: [{ port }] },
    },
    {
      apiVersion: "apiregistration.k8s.io/v1",
      kind: "APIService",
      metadata: { name: `v1beta1.${GROUP}` },
      spec: {
        group: GROUP,
        version: "v1beta1",
        service: { ...SERVICE, port },
        caBundle: certificate.toString("base64"),
        groupPriorityMinimum: 100,
        versionPriority: 100,
      },
    },
  ],
});
