/**
 * The Helm chart in a cluster. Real are etcd, kube-apiserver, kube-controller-manager, kube-scheduler, kubectl and helm, and with them validation, admission (Pod
 * Security `restricted`), scheduling, rollouts, disruption budgets, autoscaling and garbage collection. Faked are the nodes and the pods on them, which kwok plays:
 * no container starts, no probe is asked, no NetworkPolicy is enforced, and a pod is ready because kwok says so. What pods use is fed by hand. The autoscaler's
 * behaviour is the chart's own but for scaling down, which would wait for five minutes.
 */
import assert from "node:assert/strict";
import { CHART, valuesFiles } from "../support/chart.js";
import { eventually } from "../support/eventually.js";
import { type Cluster, startCluster } from "../support/kubernetes/cluster.js";
import { type MetricsServer, startMetricsServer } from "../support/kubernetes/metrics-server.js";
import {
  type Namespace,
  restrictedNamespace,
  type Workload,
} from "../support/kubernetes/namespace.js";
import { installedFolder } from "../support/kubernetes/programs.js";
import { scratchFolder } from "../support/scratch-folder.js";

const RELEASE = "sentiment";
const VALUES = {
  front: {
    autoscaling: {
      behavior: {
        scaleDown: {
          stabilizationWindowSeconds: 5,
          policies: [{ type: "Pods", value: 1, periodSeconds: 5 }],
        },
      },
    },
  },
  gateway: { autoscaling: { enabled: true } },
  triton: { enabled: true },
  redis: { enabled: true },
  networkPolicy: { enabled: true, restrictEgress: true },
};
const REPLICAS = { front: 2, gateway: 2, redis: 1, triton: 1 };
const COMPONENTS = Object.keys(REPLICAS) as (keyof typeof REPLICAS)[];
/** 30 % of what two pods request, on average: a third would be started from 70 % on. */
const QUIET = { cpu: 0.6, memory: 0.3 };
/** 130 % of what two pods request, and 65 % of what four do. */
const BUSY = { cpu: 2.6, memory: 0.3 };
const BUSY_REPLICAS = 4;
/** Values, and what is said of them. */
const WRONG = {
  "front.replicas=-1": "at '/front/replicas': minimum: got -1, want 0",
  "front.replica=3": "at '/front': additional properties 'replica' not allowed",
  "settings.BATCH_SIZE=many": "at '/settings/BATCH_SIZE': got string, want integer",
  "settings.BATCHSIZE=32": "at '/settings': additional properties 'BATCHSIZE' not allowed",
};
const SOON_MS = 10_000;

interface Service {
  readonly metadata: { readonly name: string };
}

interface EndpointSlice {
  readonly metadata: { readonly labels: Readonly<Record<string, string>> };
  readonly endpoints: readonly { readonly conditions: { readonly ready: boolean } }[] | null;
}

interface Budget {
  readonly status: { readonly disruptionsAllowed: number };
}

const fewestAvailable = (states: readonly Workload[]) =>
  Math.min(...states.map(({ status }) => status.availableReplicas ?? 0));

describe("the Helm chart in a Kubernetes cluster", function () {
  this.timeout(240_000);
  // Each step goes on from where the one before has left the release.
  this.bail(true);
  const left = new AsyncDisposableStack();
  let cluster: Cluster;
  let metrics: MetricsServer;
  let namespace: Namespace;
  let chart: string;
  let emptyNamespace: string;
  before(async () => {
    cluster = left.use(await startCluster());
    metrics = left.use(await startMetricsServer(cluster));
    for (const component of ["front", "gateway"]) metrics.feed(component, QUIET);
    await cluster.kubectl(["create", `--filename=${installedFolder("custom-resources")}`]);
    namespace = await restrictedNamespace(cluster, "reviews");
    emptyNamespace = await namespace.contents();
    const { path } = left.use(await scratchFolder());
    const { stdout } = await cluster.helm(["package", CHART, `--destination=${path}`]);
    chart = /saved it to: (\S+)/.exec(stdout)?.[1] ?? "";
  });
  after(() => left.disposeAsync());

  const change = (command: "install" | "upgrade", ...more: readonly string[]) =>
    namespace.helm(
      [command, RELEASE, chart, "--values=-", "--wait", "--timeout=3m", ...more],
      JSON.stringify(VALUES),
    );
  const untilThere = async (component: string, replicas: number) => {
    const { name } = (await namespace.deployment(component)).metadata;
    for (const field of ["spec.replicas", "status.replicas", "status.availableReplicas"]) {
      const condition = `--for=jsonpath={.${field}}=${replicas}`;
      await namespace.kubectl(["wait", `deployment/${name}`, condition, "--timeout=150s"]);
    }
  };

  it("is in a namespace that refuses pods with more rights than they need", async () => {
    const spec = { containers: [{ name: "any", image: "any" }] };
    const pod = { apiVersion: "v1", kind: "Pod", metadata: { name: "any" }, spec };
    await assert.rejects(
      namespace.kubectl(["create", "--filename=-"], JSON.stringify(pod)),
      /violates PodSecurity "restricted/,
    );
  });

  it("is installed, and the API server warns of nothing", async () => {
    const { stderr } = await change("install");
    assert.equal(stderr, "");
    for (const component of COMPONENTS) await untilThere(component, REPLICAS[component]);
    const deployments = await namespace.list<Workload>("apis/apps/v1/deployments");
    assert.equal(deployments.length, COMPONENTS.length);
  });

  it("has pods behind each Service, in several zones, of which one may be missing", async () => {
    await eventually(async () => {
      for (const component of COMPONENTS) {
        const services = await namespace.list<Service>("api/v1/services", component);
        assert.ok(services.length > 0, component);
        const all = services.map(({ metadata }) => [metadata.name, REPLICAS[component]] as const);
        assert.deepEqual(await readyEndpoints(component), new Map(all));
      }
      const budgets = await namespace.list<Budget>("apis/policy/v1/poddisruptionbudgets");
      const allowed = budgets.map(({ status }) => status.disruptionsAllowed);
      assert.deepEqual(allowed, [1, 1, 1]);
    }, SOON_MS);
    assert.equal(new Set(await namespace.nodesOf("front")).size, REPLICAS.front);
  });
  /** How many each Service has. */
  const readyEndpoints = async (component: string) => {
    const kind = "apis/discovery.k8s.io/v1/endpointslices";
    const slices = await namespace.list<EndpointSlice>(kind, component);
    const counts = slices.map(
      ({ metadata: { labels }, endpoints }) =>
        [
          labels["kubernetes.io/service-name"],
          endpoints?.filter(({ conditions }) => conditions.ready).length,
        ] as const,
    );
    return new Map(counts);
  };

  for (const [name, file] of valuesFiles())
    it(`makes only what the API server knows, as in ci/${name}.yaml`, async () => {
      const { stdout } = await namespace.helm([
        "template",
        "other",
        chart,
        `--values=${file}`,
        "--no-hooks",
      ]);
      const { stderr } = await strictly(stdout);
      assert.equal(stderr, "");
    });

  it("makes a test that the API server knows, too", async () => {
    const { stdout } = await namespace.helm(["get", "hooks", RELEASE]);
    const said = await strictly(stdout);
    assert.match(said.stdout, /^pod\/\S+ created/);
    assert.equal(said.stderr, "");
  });
  const strictly = (manifests: string) =>
    namespace.kubectl(
      ["create", "--dry-run=server", "--validate=strict", "--filename=-"],
      manifests,
    );

  for (const [wrong, told] of Object.entries(WRONG))
    it(`does not take ${wrong}`, async () => {
      await assert.rejects(change("upgrade", `--set=${wrong}`), ({ message }: Error) =>
        message.includes(told),
      );
      assert.equal(await revisions(), 1);
    });
  const revisions = async () =>
    JSON.parse((await namespace.helm(["history", RELEASE, "--output=json"])).stdout).length;

  let former: string;
  it("is upgraded: a new pod is ready before an old one goes, and only pods that differ are replaced", async () => {
    former = await namespace.replicaSet("front");
    const gateway = await namespace.replicaSet("gateway");
    using watched = await namespace.watchDeployment("front");
    await change("upgrade", "--set=settings.BATCH_SIZE=64");
    await untilThere("front", REPLICAS.front);
    assert.notEqual(await namespace.replicaSet("front"), former);
    assert.equal(await namespace.replicaSet("gateway"), gateway);
    assert.equal(fewestAvailable(watched.states()), REPLICAS.front);
    assert.ok(watched.states().some(({ status }) => (status.replicas ?? 0) > REPLICAS.front));
  });

  it("is rolled back to the pods that it had, in the same way", async () => {
    using watched = await namespace.watchDeployment("front");
    await namespace.helm(["rollback", RELEASE, "1", "--wait", "--timeout=3m"]);
    await untilThere("front", REPLICAS.front);
    assert.equal(await namespace.replicaSet("front"), former);
    assert.equal(fewestAvailable(watched.states()), REPLICAS.front);
  });

  it("keeps a server while both nodes that have one are drained at once", async () => {
    using watched = await namespace.watchDeployment("front");
    const nodes = await namespace.nodesOf("front");
    await Promise.all(
      nodes.map((node) =>
        cluster.kubectl(["drain", node, "--delete-emptydir-data", "--timeout=200s"]),
      ),
    );
    await untilThere("front", REPLICAS.front);
    assert.equal(fewestAvailable(watched.states()), REPLICAS.front - 1);
    await cluster.kubectl(["uncordon", ...nodes]);
  });

  it("is scaled out under load, is not scaled in by an upgrade then, and is when the load has gone", async () => {
    metrics.feed("front", BUSY);
    await untilThere("front", BUSY_REPLICAS);
    using watched = await namespace.watchDeployment("front");
    await change("upgrade", "--set=settings.BATCH_SIZE=64");
    await untilThere("front", BUSY_REPLICAS);
    assert.deepEqual(
      [...new Set(watched.states().map(({ spec }) => spec.replicas))],
      [BUSY_REPLICAS],
    );
    assert.equal(fewestAvailable(watched.states()), BUSY_REPLICAS);
    metrics.feed("front", QUIET);
    await untilThere("front", REPLICAS.front);
    assert.equal((await namespace.deployment("gateway")).spec.replicas, REPLICAS.gateway);
  });

  it("is uninstalled, and nothing is left", async () => {
    await namespace.helm(["uninstall", RELEASE, "--wait"]);
    await namespace.kubectl(["wait", "pods", "--all", "--for=delete", "--timeout=150s"]);
    await eventually(async () => assert.equal(await namespace.contents(), emptyNamespace), SOON_MS);
  });
});
