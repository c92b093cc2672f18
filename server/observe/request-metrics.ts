import { Counter, Gauge, type Histogram, Registry } from "prom-client";
import type { CascadeEvents } from "../classify/events.js";
import { FAULT_CODES } from "../core/fault-codes.js";
import { remembered } from "../core/remembered.js";
import { LABELS, type Label } from "../core/tiers.js";
import { tallyingCounter, tallyingHistogram } from "./tally.js";

/** Of one method's calls. */
interface MethodMetrics {
  readonly began: () => void;
  /** `code`: the name of a gRPC code. `traceId` of a call that is traced. */
  readonly ended: (code: string, tookMs: number, traceId?: string) => void;
}

/** What calls and their texts tell. */
export interface RequestMetrics extends CascadeEvents {
  /** `path` as in "/sentiment.v1.SentimentService/Analyze". */
  readonly method: (path: string, isStream: boolean) => MethodMetrics;
  readonly answered: (
    method: string,
    answer: {
      readonly model: { readonly name: string };
      readonly label: Label;
      readonly confidence: number;
    },
  ) => void;
  readonly failed: (method: string, outcome: string, texts: number) => void;
}

/** Adds the metrics of calls and texts. */
export function requestMetrics(registry: Registry): RequestMetrics {
  const texts = tallyingCounter({
    name: "sentiment_texts_total",
    help: "Texts of calls that were let in, by what came of them: ok, the reason of the error, or CANCELLED where the client left",
    labelNames: ["method", "outcome"],
    registers: [registry],
  });
  const cascade = new Counter({
    name: "sentiment_cascade_total",
    help: "Texts in the cascade, by the model that answers: fast was sure, or they went on to accurate",
    labelNames: ["outcome"],
    registers: [registry],
  });
  // So that their share can be told from the first text on.
  const decided = {
    fast: cascade.labels({ outcome: "fast" }),
    accurate: cascade.labels({ outcome: "accurate" }),
  };
  for (const one of Object.values(decided)) one.inc(0);
  const textsOf = remembered((method: string) =>
    remembered((outcome: string) => texts.labels({ method, outcome })),
  );
  const okOf = remembered((method: string) => textsOf(method)("ok"));
  const answersOf = answerMetrics(registry);
  return {
    method: callMetrics(registry),
    answered(method, { model, label, confidence }) {
      okOf(method).inc();
      const answers = answersOf(model.name);
      answers.labels(label).inc();
      answers.confidence.observe(confidence);
    },
    failed: (method, outcome, count) => textsOf(method)(outcome).inc(count),
    decided: (outcome, count) => decided[outcome].inc(count),
  };
}

function callMetrics(registry: Registry): RequestMetrics["method"] {
  const registers = [registry];
  // The text format that Prometheus reads by default has no place for them.
  const enableExemplars = String(registry.contentType) === Registry.OPENMETRICS_CONTENT_TYPE;
  const requests = tallyingCounter({
    name: "sentiment_requests_total",
    help: "Calls that have ended, by gRPC code; CANCELLED where the client left",
    labelNames: ["method", "endpoint", "code"],
    registers,
  });
  const duration = tallyingHistogram({
    name: "sentiment_request_duration_seconds",
    help: "How long calls took, streams left out, in seconds",
    labelNames: ["method", "endpoint"],
    buckets: [0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30],
    registers,
    enableExemplars,
  });
  // Its types know no exemplar's labels but the histogram's own.
  const histogram: Histogram = duration.histogram;
  let inFlight = 0;
  new Gauge({
    name: "sentiment_requests_in_flight",
    help: "Calls under way, streams among them",
    aggregator: "sum",
    registers,
    collect() {
      this.set(inFlight);
    },
  });
  return (path, isStream) => {
    const [, endpoint = "", method = ""] = path.split("/");
    const byCode = remembered((code: string) => requests.labels({ method, endpoint, code }));
    // So that the first fault is an increase too.
    for (const code of FAULT_CODES) byCode(code);
    const labels = { method, endpoint };
    const took = isStream ? undefined : duration.labels(labels);
    return {
      began() {
        inFlight++;
      },
      ended(code, tookMs, traceId) {
        inFlight--;
        byCode(code).inc();
        if (took === undefined) return;
        const value = tookMs / 1000;
        // It looks its labels up anew: only calls that are traced pay for that. Each bucket keeps the last trace that fell into it.
        if (enableExemplars && traceId !== undefined)
          histogram.observe({ labels, value, exemplarLabels: { trace_id: traceId } });
        else took.observe(value);
      },
    };
  };
}

/** Of the answers that a model gave, by its name. */
function answerMetrics(registry: Registry) {
  const labels = tallyingCounter({
    name: "sentiment_label_total",
    help: "Answers given, from a cache or not, by model and label",
    labelNames: ["model", "label"],
    registers: [registry],
  });
  const confidence = tallyingHistogram({
    name: "sentiment_confidence",
    help: "Probability of the label in answers given, from a cache or not, 0 to 1",
    labelNames: ["model"],
    buckets: [0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99, 1],
    registers: [registry],
  });
  return remembered((model: string) => {
    const byLabel = remembered((label: Label) => labels.labels({ model, label }));
    // A label that was not given yet has its share too: 0.
    for (const label of LABELS) byLabel(label);
    return {
      labels: byLabel,
      confidence: confidence.labels({ model }),
    };
  });
}
