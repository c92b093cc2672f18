import { z } from "zod";
import { choice, flag, group, object, objects, SECRET, text, textMap, texts } from "./kinds.js";
import { image, resources } from "./workload.js";

const small = (cpu: string, memory: string) => ({
  limits: { cpu, memory },
  requests: { cpu: "50m", memory: "64Mi" },
});

export const serviceAccount = group("ServiceAccount of all pods; none is given its token", {
  create: flag(true, "make one"),
  name: text("", "its name; empty: that of the release, or `default` where none is made"),
  annotations: textMap({}, "annotations"),
});

export const auth = group("who may call", {
  apiKeys: group(
    "hashed keys, made by `npx sentiment-keys`; tokens (JWT) are set by settings.JWT_*",
    {
      existingSecret: text("", SECRET),
      content: text("", "the file itself, for a Secret that the chart makes"),
      key: text("keys.json", "the Secret's key that is the file"),
    },
  ),
});

export const tls = group("TLS of the gRPC port", {
  existingSecret: text(
    "",
    `${SECRET}, with tls.crt and tls.key, and ca.crt unless \`ca\` is system; the certificate names the Service and the headless one, by which the bridge calls: <name>.<namespace>.svc, <name>-headless.<namespace>.svc`,
  ),
  certManager: group("certificates by cert-manager, in place of existingSecret", {
    enabled: flag(false, "have them made"),
    issuerRef: object({ name: "", kind: "Issuer", group: "cert-manager.io" }, "who issues them"),
    duration: text("2160h", "how long one lasts"),
    renewBefore: text("720h", "how long before its end it is renewed"),
    dnsNames: texts([], "names beside those of the Services, as callers from outside have them"),
  }),
  ca: choice(
    ["secret", "system"],
    "secret",
    "what the bridge trusts: ca.crt in that Secret, or the CAs of its image",
  ),
  clientAuth: group("mutual TLS", {
    enabled: flag(false, "only clients with a certificate may connect"),
    caSecret: text(
      "",
      `${SECRET}, with ca.crt, which clients' certificates are of; empty: ca.crt beside tls.crt`,
    ),
    clientSecret: text(
      "",
      `${SECRET}, with the bridge's tls.crt and tls.key as a client; empty: cert-manager makes one`,
    ),
  }),
});

export const tracing = group("OpenTelemetry traces; other OTEL_* names go into front.extraEnv", {
  endpoint: text("", "OTEL_EXPORTER_OTLP_ENDPOINT; empty: no traces"),
  protocol: choice(
    ["http/protobuf", "http/json", "grpc"],
    "http/protobuf",
    "OTEL_EXPORTER_OTLP_PROTOCOL",
  ),
  sampler: choice(
    [
      "always_on",
      "always_off",
      "traceidratio",
      "parentbased_always_on",
      "parentbased_always_off",
      "parentbased_traceidratio",
    ],
    "parentbased_traceidratio",
    "OTEL_TRACES_SAMPLER",
  ),
  samplerArg: z.number().min(0).max(1).default(0.01).describe("OTEL_TRACES_SAMPLER_ARG: the share"),
});

export const modelRepository = group("where the models come from, for the server and for Triton", {
  source: choice(
    ["image", "pvc", "objectStore"],
    "image",
    "`image`: those in the server's image; `pvc`: a volume; `objectStore`: copied at the start of each pod",
  ),
  pvc: group("a volume that all pods can read", {
    claimName: text("", "its PersistentVolumeClaim"),
    subPath: text("", "folder in it"),
  }),
  objectStore: group("S3 and others, by rclone", {
    path: text(
      "",
      "what rclone copies: `store:bucket/folder`, or `:s3,provider=AWS,env_auth:bucket/folder`",
    ),
    env: textMap({}, "environment of rclone, as RCLONE_CONFIG_STORE_TYPE: s3"),
    existingSecret: text(
      "",
      `${SECRET}, whose entries are environment too, as RCLONE_CONFIG_STORE_SECRET_ACCESS_KEY`,
    ),
    image: image("docker.io", "rclone/rclone", "1.68.2", "rclone"),
  }),
  sizeLimit: text("2Gi", "most that a copy may take on the node"),
  resources: resources(small("1", "512Mi"), "resources of the container that copies"),
});

export const networkPolicy = group("NetworkPolicies", {
  enabled: flag(false, "make them: Triton and Redis are then reached by the server's pods alone"),
  callers: objects([], "who may call gRPC and REST, as `from` of a NetworkPolicy; none: all"),
  monitoring: objects(
    [],
    "who may scrape, as `from` of a NetworkPolicy; none: all, of the bridge only those who may call",
  ),
  restrictEgress: flag(false, "bound what the pods may reach: names, each other, and extraEgress"),
  extraEgress: objects(
    [],
    "`egress` rules: an external Redis, a collector, an object store, an issuer of tokens",
  ),
});

export const monitoring = group("Prometheus and Grafana", {
  prometheusUrl: text(
    "",
    "Prometheus that KEDA asks, as http://prometheus-operated.monitoring:9090",
  ),
  monitors: group("what the Prometheus Operator scrapes", {
    enabled: flag(false, "make them"),
    kind: choice(["ServiceMonitor", "PodMonitor"], "ServiceMonitor", "by Services, or by pods"),
    interval: text("15s", "from one scrape to the next"),
    labels: textMap({}, "labels, that a Prometheus selects them by"),
  }),
  rules: group("PrometheusRules: those of deploy/prometheus/rules", {
    enabled: flag(false, "make them"),
    labels: textMap({}, "labels, that a Prometheus selects them by"),
    runbookUrl: text("", "where docs/ of the project is, for the alerts' links"),
  }),
  dashboards: group("ConfigMaps with the dashboards of deploy/grafana", {
    enabled: flag(false, "make them"),
    labels: textMap({ grafana_dashboard: "1" }, "labels, that Grafana's sidecar finds them by"),
    annotations: textMap({}, "annotations, as grafana_folder: Sentiment"),
  }),
});

export const test = group("`helm test`: a pod that calls", {
  enabled: flag(true, "have it"),
  apiKeySecret: group(
    "a key for its call; without one, where keys are asked for, it checks that it is refused",
    {
      name: text("", SECRET),
      key: text("key", "its key"),
    },
  ),
  resources: resources(small("500m", "256Mi"), "its resources"),
});
