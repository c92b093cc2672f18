import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { startInBackground } from "../background-process.js";
import type { Api } from "./api.js";
import { type Command, commandOf } from "./commands.js";
import { type Conditions, hasCondition } from "./condition.js";
import { startControlPlane } from "./control-plane.js";
import { installedFolder, programPath } from "./programs.js";

const READY_MS = 30_000;
const ZONES = ["a", "b", "c"];

export interface Cluster extends AsyncDisposable {
  readonly api: Api;
  readonly kubectl: Command;
  readonly helm: Command;
}

/**
 * A real control plane, and a node in each of three zones that kwok plays: pods are admitted, scheduled, counted and evicted for real, but nothing runs in them.
 * kwok says that they are created, initialized and ready, each after one to five seconds by chance, and gone within their grace period. Disposing kills all of it.
 */
export async function startCluster(): Promise<Cluster> {
  await using left = new AsyncDisposableStack();
  const { api, kubeconfig, folder } = left.use(await startControlPlane());
  // With a home of their own, so that what a user has set changes nothing, and nothing is left there.
  const env = { HOME: folder, KUBECONFIG: kubeconfig };
  const kubectl = commandOf(programPath("kubectl"), env);
  const helm = commandOf(programPath("helm"), env);
  const stages = join(folder, "stages.yaml");
  await writeFile(stages, await installedStages());
  await kubectl(["create", "--filename=-"], JSON.stringify(nodes));
  const kwok = startInBackground(
    programPath("kwok"),
    [`--kubeconfig=${kubeconfig}`, `--config=${stages}`, "--manage-all-nodes=true"],
    env,
  );
  left.defer(kwok.kill);
  await kwok.until(() => areReady(api), READY_MS);
  const owned = left.move();
  return { api, kubectl, helm, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

async function installedStages(): Promise<string> {
  const folder = installedFolder("stages");
  const files = await readdir(folder);
  const texts = await Promise.all(files.map((file) => readFile(join(folder, file), "utf8")));
  return texts.join("\n---\n");
}

const ROOM = { cpu: "16", memory: "64Gi", pods: "110" };

const nodes = {
  apiVersion: "v1",
  kind: "List",
  items: ZONES.map((zone) => ({
    apiVersion: "v1",
    kind: "Node",
    metadata: {
      name: `node-${zone}`,
      labels: {
        "kubernetes.io/hostname": `node-${zone}`,
        "kubernetes.io/os": "linux",
        "kubernetes.io/arch": "amd64",
        "topology.kubernetes.io/zone": zone,
      },
    },
    status: { capacity: ROOM, allocatable: ROOM },
  })),
};

async function areReady(api: Api): Promise<boolean> {
  const { items } = await api.get<{ items: readonly { status: Conditions }[] }>("/api/v1/nodes");
  return items.every(({ status }) => hasCondition(status, "Ready"));
}
