import { GATEWAY_SETTINGS } from "./gateway-settings.js";
import { choice, flag, group, SECRET, text, whole } from "./kinds.js";
import { scaling } from "./scaling.js";
import {
  disruptionBudget,
  extras,
  image,
  ingress,
  probe,
  resources,
  route,
  scheduling,
  security,
  service,
  strategy,
} from "./workload.js";

const HPA = { enabled: false, minReplicas: 2, maxReplicas: 10, cpu: 70, memory: 0 };

/** Bodies that clients can have it hold at once: with what Go needs itself less than the memory it may take. The server takes no larger ones. */
const BOUNDS = {
  MAX_REQUESTS: GATEWAY_SETTINGS.MAX_REQUESTS.default(200),
  MAX_BODY_SIZE: GATEWAY_SETTINGS.MAX_BODY_SIZE.default("4MB"),
};

export const gateway = group("the REST bridge, and the console", {
  enabled: flag(true, "run it"),
  image: image("", "sentiment-gateway", "", "the bridge"),
  replicas: whole(2, 0, 1000, "pods, where autoscaling is off"),
  autoscaling: scaling(HPA),
  settings: group("environment variables of the bridge, named as in clients/gateway/README.md", {
    ...GATEWAY_SETTINGS,
    ...BOUNDS,
  }),
  tls: group("TLS of the bridge's own port", {
    enabled: flag(false, "serve HTTPS"),
    existingSecret: text(
      "",
      `${SECRET}, with tls.crt and tls.key; empty: cert-manager makes one (tls.certManager)`,
    ),
  }),
  resources: resources(
    { limits: { cpu: "1", memory: "1Gi" }, requests: { cpu: "100m", memory: "128Mi" } },
    "resources of the bridge; clients can take MAX_REQUESTS times MAX_BODY_SIZE of its memory",
  ),
  goMemLimit: text(
    "960MiB",
    "GOMEMLIMIT: what Go keeps its memory under, a little less than the limit; empty: unset",
  ),
  strategy,
  podDisruptionBudget: disruptionBudget,
  terminationGracePeriodSeconds: whole(
    0,
    0,
    86_400,
    "seconds that a pod may take to end; 0: as long as its drain can (DRAIN_DELAY, DRAIN_TIMEOUT, and 5)",
  ),
  startupProbe: probe(
    { periodSeconds: 1, timeoutSeconds: 2, failureThreshold: 30 },
    "until it answers",
  ),
  readinessProbe: probe(
    { periodSeconds: 2, timeoutSeconds: 3, failureThreshold: 2 },
    "whether requests should come",
  ),
  livenessProbe: probe(
    { periodSeconds: 10, timeoutSeconds: 5, failureThreshold: 6 },
    "whether it answers at all",
  ),
  readinessPath: choice(
    ["/livez", "/health"],
    "/livez",
    "what readiness asks for: `/livez` is the bridge alone, which says by itself, as JSON, that the server is down; `/health` takes all bridges out of their Service then",
  ),
  service: service(8080, "the REST API"),
  console: flag(true, "let Ingress and HTTPRoute pass the console and /health, beside the API"),
  ingress: ingress("HTTP"),
  httpRoute: route("HTTPRoute"),
  ...scheduling,
  ...extras,
  ...security(65532),
});
