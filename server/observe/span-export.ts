import { ExportResultCode, getNumberFromEnv, getStringFromEnv } from "@opentelemetry/core";
import {
  BatchSpanProcessor,
  type ReadableSpan,
  type SpanExporter,
  type SpanProcessor,
} from "@opentelemetry/sdk-trace";

/** What became of spans: `exported`: the collector has them; `failed`: it did not take them; `dropped`: too many waited for it. */
export type SpanOutcome = "exported" | "failed" | "dropped";
export type SpanCounts = (outcome: SpanOutcome, spans: number) => void;

/** The SDK's defaults: what the specification says. */
const MAX_QUEUE = 2048;
const MAX_BATCH = 512;
const DELAY_MS = 5000;
const LIMIT_MS = 30_000;

/** Sends spans in the background, in batches, as OTEL_BSP_* and OTEL_EXPORTER_OTLP_* say. At most so many wait as OTEL_BSP_MAX_QUEUE_SIZE allows. */
export async function spanProcessor(counts: SpanCounts): Promise<SpanProcessor> {
  const maxQueueSize = getNumberFromEnv("OTEL_BSP_MAX_QUEUE_SIZE") ?? MAX_QUEUE;
  const exporter = new CountedExporter(await otlpExporter(), counts);
  const inner = new BatchSpanProcessor({
    exporter,
    maxQueueSize,
    maxExportBatchSize: getNumberFromEnv("OTEL_BSP_MAX_EXPORT_BATCH_SIZE") ?? MAX_BATCH,
    scheduledDelayMillis: getNumberFromEnv("OTEL_BSP_SCHEDULE_DELAY") ?? DELAY_MS,
    exportTimeoutMillis: getNumberFromEnv("OTEL_BSP_EXPORT_TIMEOUT") ?? LIMIT_MS,
  });
  return {
    onStart: (span, context) => inner.onStart(span, context),
    onEnd(span) {
      // As the processor itself does, which does not tell.
      if (exporter.waiting >= maxQueueSize) return counts("dropped", 1);
      exporter.waiting++;
      inner.onEnd(span);
    },
    forceFlush: () => inner.forceFlush(),
    shutdown: () => inner.shutdown(),
  };
}

class CountedExporter implements SpanExporter {
  /** Spans that have ended and were not handed to it yet. */
  waiting = 0;
  readonly #exporter: SpanExporter;
  readonly #counts: SpanCounts;

  constructor(exporter: SpanExporter, counts: SpanCounts) {
    this.#exporter = exporter;
    this.#counts = counts;
  }

  export(spans: ReadableSpan[], done: Parameters<SpanExporter["export"]>[1]): void {
    this.waiting -= spans.length;
    this.#exporter.export(spans, (result) => {
      const taken = result.code === ExportResultCode.SUCCESS;
      this.#counts(taken ? "exported" : "failed", spans.length);
      done(result);
    });
  }

  async forceFlush(): Promise<void> {
    await this.#exporter.forceFlush?.();
  }

  async shutdown(): Promise<void> {
    await this.#exporter.shutdown();
  }
}

export const otlpProtocol = (): string =>
  getStringFromEnv("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL") ??
  getStringFromEnv("OTEL_EXPORTER_OTLP_PROTOCOL") ??
  "http/protobuf";

/** By OTEL_EXPORTER_OTLP_TRACES_PROTOCOL or OTEL_EXPORTER_OTLP_PROTOCOL: grpc, http/json, and by default http/protobuf. */
async function otlpExporter(): Promise<SpanExporter> {
  switch (otlpProtocol()) {
    case "grpc": {
      const { OTLPTraceExporter } = await import("@opentelemetry/exporter-trace-otlp-grpc");
      return new OTLPTraceExporter();
    }
    case "http/json": {
      const { OTLPTraceExporter } = await import("@opentelemetry/exporter-trace-otlp-http");
      return new OTLPTraceExporter();
    }
    default: {
      const { OTLPTraceExporter } = await import("@opentelemetry/exporter-trace-otlp-proto");
      return new OTLPTraceExporter();
    }
  }
}
