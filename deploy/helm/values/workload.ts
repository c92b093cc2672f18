import { z } from "zod";
import { choice, flag, group, object, objects, text, textMap, texts, whole } from "./kinds.js";

export const image = (registry: string, repository: string, tag: string, whose: string) =>
  group(`image of ${whose}`, {
    registry: text(registry, "registry; global.imageRegistry, where it is set, takes its place"),
    repository: text(repository, "name of the image"),
    tag: text(tag, tag === "" ? "tag; empty: the chart's appVersion" : "tag"),
    digest: text("", "as in sha256:..., in place of the tag"),
    pullPolicy: choice(["Always", "IfNotPresent", "Never"], "IfNotPresent", "when it is pulled"),
  });

const SPREAD = ["topology.kubernetes.io/zone", "kubernetes.io/hostname"].map((topologyKey) => ({
  maxSkew: 1,
  topologyKey,
  whenUnsatisfiable: "ScheduleAnyway",
}));

/** Where pods run. */
export const scheduling = {
  topologySpreadConstraints: objects(
    SPREAD,
    "how pods spread; the selector of these pods is added where there is none",
  ),
  nodeSelector: textMap({}, "labels that nodes must have"),
  affinity: object({}, "affinity"),
  tolerations: objects([], "tolerations"),
  priorityClassName: text("", "priority class"),
  runtimeClassName: text("", "runtime class"),
};

/** What a pod has beside the chart's own. */
export const extras = {
  annotations: textMap({}, "annotations of the Deployment"),
  podAnnotations: textMap({}, "annotations of the pods"),
  podLabels: textMap({}, "labels of the pods, beside those of the chart"),
  extraEnv: objects(
    [],
    "environment variables of the container; a name that the chart sets too is taken from here",
  ),
  extraEnvFrom: objects([], "ConfigMaps and Secrets whose entries are environment variables"),
  extraVolumes: objects([], "volumes of the pods"),
  extraVolumeMounts: objects([], "mounts of the container"),
  initContainers: objects([], "init containers, after the chart's own"),
  sidecars: objects([], "containers beside the chart's"),
};

export const security = (user: number) => ({
  podSecurityContext: object(
    {
      runAsNonRoot: true,
      runAsUser: user,
      runAsGroup: user,
      fsGroup: user,
      seccompProfile: { type: "RuntimeDefault" },
    },
    "security context of the pods",
  ),
  securityContext: object(
    {
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ["ALL"] },
    },
    "security context of the containers",
  ),
});

export const resources = (
  standard: { readonly limits: object; readonly requests: object },
  description: string,
) => object({ limits: standard.limits, requests: standard.requests }, description);

const countOrShare = (standard: number | "", description: string) =>
  z
    .union([z.int().min(0), z.string().regex(/^([0-9]+%)?$/)])
    .default(standard)
    .describe(description);

export const disruptionBudget = group(
  "PodDisruptionBudget: of how many pods a drain of nodes may take at once",
  {
    enabled: flag(true, "make one"),
    maxUnavailable: countOrShare(1, "pods, or a share as in 25%, that may be missing"),
    minAvailable: countOrShare(
      "",
      "pods, or a share, that must be there, in place of maxUnavailable",
    ),
  },
);

export interface ProbeTimes {
  readonly periodSeconds: number;
  readonly timeoutSeconds: number;
  readonly failureThreshold: number;
}

export const probe = (standard: ProbeTimes, description: string) =>
  group(description, {
    periodSeconds: whole(standard.periodSeconds, 1, 3600, "seconds from one probe to the next"),
    timeoutSeconds: whole(standard.timeoutSeconds, 1, 3600, "seconds that an answer may take"),
    failureThreshold: whole(standard.failureThreshold, 1, 1000, "failures in a row that count"),
  });

export const service = (port: number, whose: string) =>
  group(`Service of ${whose}`, {
    type: choice(["ClusterIP", "NodePort", "LoadBalancer"], "ClusterIP", "kind"),
    port: whole(port, 1, 65535, "port"),
    nodePort: whole(0, 0, 65535, "port of the nodes; 0: one that is free"),
    annotations: textMap({}, "annotations"),
    loadBalancerSourceRanges: texts([], "networks that may reach a load balancer"),
  });

export const ingress = (paths: string) =>
  group(`Ingress, for ${paths}`, {
    enabled: flag(false, "make one"),
    className: text("", "ingress class; empty: the cluster's default"),
    annotations: textMap({}, "annotations"),
    hosts: texts([], "host names"),
    tls: objects([], "certificates: `hosts` and `secretName`"),
  });

export const route = (kind: string) =>
  group(`${kind} of the Gateway API`, {
    enabled: flag(false, "make one"),
    annotations: textMap({}, "annotations"),
    parentRefs: objects([], "Gateways that it belongs to"),
    hostnames: texts([], "host names; none: all of the Gateway's"),
  });

export const strategy = object(
  { type: "RollingUpdate", rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } },
  "how a new version takes over: by default a new pod is ready before an old one goes",
);
