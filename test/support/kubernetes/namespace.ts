import type { Watch } from "./api.js";
import type { Cluster } from "./cluster.js";
import type { Command } from "./commands.js";

/** A Deployment or a ReplicaSet. */
export interface Workload {
  readonly metadata: { readonly name: string; readonly labels: Readonly<Record<string, string>> };
  readonly spec: { readonly replicas: number };
  readonly status: { readonly replicas?: number; readonly availableReplicas?: number };
}

interface Pod {
  readonly metadata: { readonly deletionTimestamp?: string };
  readonly spec: { readonly nodeName: string };
}

export interface Namespace {
  readonly kubectl: Command;
  readonly helm: Command;
  /** Objects of a kind such as `apis/apps/v1/deployments`, all or those of a component. */
  list<Kind>(kind: string, component?: string): Promise<readonly Kind[]>;
  /** Rejects where a component has several, or none. */
  deployment(component: string): Promise<Workload>;
  watchDeployment(component: string): Promise<Watch<Workload>>;
  /** Name of the ReplicaSet that alone has pods; rejects while several have some. */
  replicaSet(component: string): Promise<string>;
  /** Of its pods, but for those that are about to go. */
  nodesOf(component: string): Promise<readonly string[]>;
  /** `kind/name` of all that is in it, but for events. */
  contents(): Promise<string>;
}

const COMPONENT = "app.kubernetes.io/component";
const SECURITY = "pod-security.kubernetes.io";

/** A new namespace that takes only pods that are `restricted`, and warns of what would make others. */
export async function restrictedNamespace(cluster: Cluster, name: string): Promise<Namespace> {
  const { api } = cluster;
  const labels = { [`${SECURITY}/enforce`]: "restricted", [`${SECURITY}/warn`]: "restricted" };
  const manifest = { apiVersion: "v1", kind: "Namespace", metadata: { name, labels } };
  await cluster.kubectl(["create", "--filename=-"], JSON.stringify(manifest));
  const kubectl = within(cluster.kubectl, name);
  // What each namespace is given.
  await kubectl(["wait", "serviceaccount/default", "configmap/kube-root-ca.crt", "--for=create"]);

  const pathOf = (kind: string, component?: string) => {
    const path = `/${kind.replace(/[^/]+$/, `namespaces/${name}/$&`)}`;
    return component === undefined ? path : `${path}?labelSelector=${COMPONENT}%3D${component}`;
  };
  const list = async <Kind>(kind: string, component?: string) =>
    (await api.get<{ items: readonly Kind[] }>(pathOf(kind, component))).items;
  return {
    kubectl,
    helm: within(cluster.helm, name),
    list,
    deployment: async (component) =>
      onlyOne(await list<Workload>("apis/apps/v1/deployments", component)),
    watchDeployment: (component) => api.watch(pathOf("apis/apps/v1/deployments", component)),
    async replicaSet(component) {
      const all = await list<Workload>("apis/apps/v1/replicasets", component);
      return onlyOne(all.filter(({ status }) => status.replicas)).metadata.name;
    },
    async nodesOf(component) {
      const pods = await list<Pod>("api/v1/pods", component);
      return pods
        .filter(({ metadata }) => metadata.deletionTimestamp === undefined)
        .map(({ spec }) => spec.nodeName);
    },
    async contents() {
      const flags = ["--namespaced", "--verbs=list,delete", "--output=name"];
      const { stdout } = await kubectl(["api-resources", ...flags]);
      const kinds = stdout
        .trim()
        .split("\n")
        .filter((kind) => !kind.startsWith("events"));
      return (await kubectl(["get", kinds.join(), "--output=name"])).stdout;
    },
  };
}

const within =
  (command: Command, namespace: string): Command =>
  (args, stdin) =>
    command([...args, `--namespace=${namespace}`], stdin);

function onlyOne<Kind>(found: readonly Kind[]): Kind {
  const [one] = found;
  if (one === undefined || found.length > 1) throw new Error(`not one but ${found.length}`);
  return one;
}
