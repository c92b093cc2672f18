import { z } from "zod";
import { choice, flag, group, object, text, whole } from "./kinds.js";

/** What a HorizontalPodAutoscaler does with what it measures. */
const BEHAVIOR = {
  scaleUp: {
    stabilizationWindowSeconds: 0,
    selectPolicy: "Max",
    policies: [
      { type: "Percent", value: 100, periodSeconds: 60 },
      { type: "Pods", value: 2, periodSeconds: 60 },
    ],
  },
  scaleDown: {
    stabilizationWindowSeconds: 300,
    selectPolicy: "Max",
    policies: [{ type: "Pods", value: 1, periodSeconds: 60 }],
  },
};

export interface ScalingDefaults {
  readonly enabled: boolean;
  readonly minReplicas: number;
  readonly maxReplicas: number;
  readonly cpu: number;
  readonly memory: number;
}

const bounds = (standard: ScalingDefaults) => ({
  enabled: flag(standard.enabled, "scale; `replicas` is not used then"),
  minReplicas: whole(standard.minReplicas, 1, 1000, "fewest pods"),
  maxReplicas: whole(standard.maxReplicas, 1, 1000, "most pods"),
  targetCPUUtilizationPercentage: whole(
    standard.cpu,
    0,
    1000,
    "percent of the CPU that is requested, on average; 0: not by CPU",
  ),
  targetMemoryUtilizationPercentage: whole(
    standard.memory,
    0,
    1000,
    "percent of the memory that is requested, on average; 0: not by memory",
  ),
  behavior: object(BEHAVIOR, "how fast it scales, up and down"),
});

export const scaling = (standard: ScalingDefaults) =>
  group("HorizontalPodAutoscaler", bounds(standard));

/** By queue time too: `what` says whose, `metric` is what the Prometheus adapter calls it. */
export const queueScaling = (standard: ScalingDefaults, what: string, metric: string) =>
  group("HorizontalPodAutoscaler, or the ScaledObject of KEDA that makes one", {
    ...bounds(standard),
    queueTime: group(`scaling by ${what}, beside CPU and memory`, {
      by: choice(
        ["none", "keda", "prometheus-adapter"],
        "none",
        "who tells it: `keda` asks monitoring.prometheusUrl; `prometheus-adapter` needs the rules in files/prometheus-adapter.yaml",
      ),
      targetSeconds: z
        .number()
        .min(0.001)
        .max(60)
        .default(0.05)
        .describe("seconds; more pods from there on"),
      query: text(
        "",
        "PromQL for KEDA that gives seconds; empty: the chart's own, of what monitoring.monitors scrape",
      ),
      metric: text(metric, "name that the Prometheus adapter has for it"),
    }),
  });
