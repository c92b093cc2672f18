import { flag, group, text, texts, whole } from "./kinds.js";
import { queueScaling } from "./scaling.js";
import {
  disruptionBudget,
  extras,
  image,
  probe,
  resources,
  scheduling,
  security,
  strategy,
} from "./workload.js";

const HPA = { enabled: false, minReplicas: 1, maxReplicas: 4, cpu: 0, memory: 0 };

export const triton = group("NVIDIA Triton, which runs the models in the server's place", {
  enabled: flag(false, "run it; BACKEND is `triton,embedded` then unless settings have it"),
  image: image("nvcr.io", "nvidia/tritonserver", "24.10-py3", "Triton"),
  replicas: whole(1, 0, 1000, "pods, where autoscaling is off"),
  autoscaling: queueScaling(
    HPA,
    "how long requests wait in Triton's own queues (on average, of the model where it is longest)",
    "triton_queue_seconds",
  ),
  gpu: group("on GPUs", {
    enabled: flag(false, "ask for GPUs, and tolerate their nodes' taint"),
    count: whole(1, 1, 16, "GPUs of a pod"),
    resource: text("nvidia.com/gpu", "name of the resource, and of the taint"),
  }),
  modelConfigName: text(
    "",
    "configuration in each model's configs/ that is served in place of config.pbtxt: `gpu` and `tensorrt` need what training/README.md makes; empty with gpu.enabled: config.pbtxt, with its instances put on the GPU",
  ),
  extraArgs: texts([], "arguments of tritonserver, after the chart's"),
  resources: resources(
    { limits: { cpu: "2", memory: "4Gi" }, requests: { cpu: "1", memory: "2Gi" } },
    "resources of Triton; the GPUs are added",
  ),
  strategy,
  podDisruptionBudget: disruptionBudget,
  preStopSeconds: whole(5, 0, 300, "seconds from a pod's end being announced to SIGTERM"),
  terminationGracePeriodSeconds: whole(
    0,
    0,
    86_400,
    "seconds that a pod may take to end; 0: preStopSeconds, and 45",
  ),
  startupProbe: probe(
    { periodSeconds: 5, timeoutSeconds: 5, failureThreshold: 120 },
    "until it is ready",
  ),
  readinessProbe: probe(
    { periodSeconds: 5, timeoutSeconds: 5, failureThreshold: 3 },
    "whether batches should come",
  ),
  livenessProbe: probe(
    { periodSeconds: 10, timeoutSeconds: 5, failureThreshold: 6 },
    "whether it answers at all",
  ),
  ...scheduling,
  ...extras,
  ...security(1000),
});
