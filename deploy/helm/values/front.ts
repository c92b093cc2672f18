import { group, texts, whole } from "./kinds.js";
import { queueScaling } from "./scaling.js";
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

const HPA = { enabled: true, minReplicas: 2, maxReplicas: 10, cpu: 70, memory: 80 };

export const front = group("the gRPC server", {
  image: image("", "sentiment-analyzer-pro", "", "the server"),
  replicas: whole(2, 0, 1000, "pods, where autoscaling is off"),
  autoscaling: queueScaling(
    HPA,
    "how long rows of texts wait for their model (95 % of them)",
    "sentiment_queue_seconds_p95",
  ),
  resources: resources(
    { limits: { cpu: "2", memory: "4Gi" }, requests: { cpu: "1", memory: "2Gi" } },
    "resources of the server; MEMORY_LIMIT is limits.memory unless settings have it, and OMP_NUM_THREADS of the settings goes with limits.cpu",
  ),
  strategy,
  podDisruptionBudget: disruptionBudget,
  preStopSeconds: whole(
    5,
    0,
    300,
    "seconds from a pod's end being announced to SIGTERM, in which balancers hear of it",
  ),
  terminationGracePeriodSeconds: whole(
    0,
    0,
    86_400,
    "seconds that a pod may take to end; 0: as long as its drain can (preStopSeconds, REQUEST_TIMEOUT, and 15)",
  ),
  startupProbe: probe(
    { periodSeconds: 2, timeoutSeconds: 5, failureThreshold: 90 },
    "until it serves: loading the models is part of it, a Triton is not",
  ),
  readinessProbe: probe(
    { periodSeconds: 1, timeoutSeconds: 2, failureThreshold: 3 },
    "whether calls should come: all models can be answered for",
  ),
  livenessProbe: probe(
    { periodSeconds: 10, timeoutSeconds: 5, failureThreshold: 12 },
    "whether it answers at all, with or without a backend; slower than WATCHDOG_SECONDS, which knows better",
  ),
  service: service(
    50051,
    "the gRPC API; the headless one for clients that balance by themselves is beside it",
  ),
  exposedServices: texts(
    [
      "sentiment.v1.SentimentService",
      "inference.GRPCInferenceService",
      "grpc.health.v1.Health",
      "grpc.reflection.v1.ServerReflection",
      "grpc.reflection.v1alpha.ServerReflection",
    ],
    "gRPC services that Ingress and GRPCRoute let in; sentiment.v1.AdminService is not among them",
  ),
  ingress: ingress("gRPC: the controller has to be told so by its annotation"),
  grpcRoute: route("GRPCRoute"),
  ...scheduling,
  ...extras,
  ...security(1000),
});
