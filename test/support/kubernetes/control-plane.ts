import { generateKeyPairSync, randomUUID } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { startInBackground } from "../background-process.js";
import { certificates } from "../certificates.js";
import { freePorts, listens } from "../ports.js";
import { scratchFolder } from "../scratch-folder.js";
import { type Api, apiOf } from "./api.js";
import { programPath } from "./programs.js";

/** Of each part; the machine may be busy, and the API server has hundreds of roles to make first. */
const READY_MS = 90_000;
const ALL_RIGHTS = "system:masters";

export interface ControlPlane extends AsyncDisposable {
  readonly api: Api;
  /** Of one who may do all. */
  readonly kubeconfig: string;
  /** A folder of its own that goes with it. */
  readonly folder: string;
}

/**
 * A real etcd, kube-apiserver, kube-controller-manager and kube-scheduler on the loopback address, without nodes. Disposing kills them.
 * The autoscaler looks each second, and takes a pod's figures as soon as the pod is ready; all else is as it comes.
 */
export async function startControlPlane(): Promise<ControlPlane> {
  await using left = new AsyncDisposableStack();
  const { path: folder } = left.use(await scratchFolder());
  const { issuer, apiserver } = await certificatesFor(left);
  const [clients = 0, peers = 0, secure = 0, managed = 0, scheduled = 0] = await freePorts(5);
  const etcd = `http://127.0.0.1:${clients}`;
  const url = `https://127.0.0.1:${secure}`;
  const token = randomUUID();
  const at = (name: string) => join(folder, name);
  const api = apiOf({ url, ca: await readFile(issuer.cert, "utf8"), token });
  const kubeconfig = at("kubeconfig");
  await writeFile(kubeconfig, JSON.stringify(kubeconfigOf(url, issuer.cert, token)));
  await writeFile(at("tokens.csv"), `${token},admin,admin,${ALL_RIGHTS}\n`);
  await writeServiceAccountKeys(at);

  const start = async (name: string, flags: Flags, isReady: () => Promise<boolean>) => {
    const args = Object.entries(flags).map(([flag, value]) => `--${flag}=${value}`);
    const started = startInBackground(programPath(name), args, { HOME: folder });
    left.defer(started.kill);
    await started.until(isReady, READY_MS);
  };
  await start("etcd", etcdFlags(etcd, `http://127.0.0.1:${peers}`, at), () => listens(clients));
  await start(
    "kube-apiserver",
    {
      "etcd-servers": etcd,
      "bind-address": "127.0.0.1",
      "advertise-address": "127.0.0.1",
      "secure-port": secure,
      "tls-cert-file": apiserver.cert,
      "tls-private-key-file": apiserver.key,
      "service-cluster-ip-range": "10.0.0.0/24",
      "service-account-issuer": "https://kubernetes.default.svc",
      "service-account-key-file": at("sa.pub"),
      "service-account-signing-key-file": at("sa.key"),
      "token-auth-file": at("tokens.csv"),
      "authorization-mode": "RBAC",
      // There is no address that others could reach it at.
      "endpoint-reconciler-type": "none",
    },
    () => api.answers("/readyz"),
  );
  const leader = { kubeconfig, "leader-elect": false, "bind-address": "127.0.0.1" };
  await start(
    "kube-controller-manager",
    {
      ...leader,
      "secure-port": managed,
      "service-account-private-key-file": at("sa.key"),
      "root-ca-file": issuer.cert,
      "horizontal-pod-autoscaler-sync-period": "1s",
      "horizontal-pod-autoscaler-initial-readiness-delay": "1s",
      "horizontal-pod-autoscaler-cpu-initialization-period": "1s",
    },
    () => api.answers("/api/v1/namespaces/default/serviceaccounts/default"),
  );
  await start("kube-scheduler", { ...leader, "secure-port": scheduled }, () => listens(scheduled));
  const owned = left.move();
  return { api, kubeconfig, folder, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

type Flags = Readonly<Record<string, string | number | boolean>>;

async function certificatesFor(left: AsyncDisposableStack) {
  const made = left.use(await certificates());
  const issuer = await made.make("kubernetes");
  return { issuer, apiserver: await made.make("kube-apiserver", { by: issuer }) };
}

const etcdFlags = (clients: string, peers: string, at: (name: string) => string): Flags => ({
  "data-dir": at("etcd"),
  "listen-client-urls": clients,
  "advertise-client-urls": clients,
  "listen-peer-urls": peers,
  "initial-advertise-peer-urls": peers,
  "initial-cluster": `default=${peers}`,
});

async function writeServiceAccountKeys(at: (name: string) => string): Promise<void> {
  const { publicKey, privateKey } = generateKeyPairSync("rsa", {
    modulusLength: 2048,
    publicKeyEncoding: { type: "spki", format: "pem" },
    privateKeyEncoding: { type: "pkcs8", format: "pem" },
  });
  await writeFile(at("sa.pub"), publicKey);
  await writeFile(at("sa.key"), privateKey);
}

const kubeconfigOf = (server: string, authority: string, token: string) => ({
  apiVersion: "v1",
  kind: "Config",
  clusters: [{ name: "test", cluster: { server, "certificate-authority": authority } }],
  users: [{ name: "admin", user: { token } }],
  contexts: [{ name: "test", context: { cluster: "test", user: "admin" } }],
  "current-context": "test",
});
