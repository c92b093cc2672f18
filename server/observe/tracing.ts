import {
  type Context,
  ROOT_CONTEXT,
  type Span as SdkSpan,
  SpanKind as SdkSpanKind,
  type Tracer as SdkTracer,
  type SpanContext,
  SpanStatusCode,
  trace,
} from "@opentelemetry/api";
import { getBooleanFromEnv, getStringFromEnv, TraceState } from "@opentelemetry/core";
import { StartupError } from "../core/errors.js";
import { OWN_VERSION } from "../core/own-version.js";
import {
  type Attributes,
  errorTypeOf,
  type Span,
  type SpanKind,
  type SpanOptions,
  type Tracer,
} from "../core/trace.js";
import { otlpProtocol, type SpanCounts } from "./span-export.js";

const KINDS: Record<SpanKind, SdkSpanKind> = {
  server: SdkSpanKind.SERVER,
  client: SdkSpanKind.CLIENT,
  internal: SdkSpanKind.INTERNAL,
};
/** For spans that still wait when the server stops: a collector that is gone must not keep it. */
const FLUSH_MS = 2000;

/** Closing sends what still waits, as far as FLUSH_MS allow. */
export interface Tracing extends AsyncDisposable {
  /** undefined: no call is traced. */
  readonly tracer: Tracer | undefined;
}

const ENDPOINTS = ["OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT"];

/** Where OTEL_* says that spans go; undefined: nowhere. Throws StartupError for what is no address: the exporters would drop every span, or stop the start without a name. */
export function traceEndpoint(): URL | undefined {
  if (getBooleanFromEnv("OTEL_SDK_DISABLED")) return undefined;
  if (getStringFromEnv("OTEL_TRACES_EXPORTER") === "none") return undefined;
  const name = ENDPOINTS.find((one) => getStringFromEnv(one) !== undefined);
  const value = name && getStringFromEnv(name);
  if (value === undefined) return undefined;
  const url = URL.canParse(value) ? new URL(value) : undefined;
  if (url?.protocol === "http:" || url?.protocol === "https:") return url;
  throw new StartupError(
    `${name}: must be an address, as http://collector:4318 (https:// with TLS)`,
  );
}

const isTraced = (): boolean => traceEndpoint() !== undefined;

/** What was decided about traces. The address may hold a password, and headers do: only the host is told. */
export function tracesLine(): string {
  const url = traceEndpoint();
  if (url === undefined) return "traces: none (OTEL_EXPORTER_OTLP_ENDPOINT is unset)";
  const protocol = otlpProtocol();
  const sampler = getStringFromEnv("OTEL_TRACES_SAMPLER") ?? "parentbased_always_on";
  const share = getStringFromEnv("OTEL_TRACES_SAMPLER_ARG");
  return `traces: to ${url.host} by ${protocol} (OTEL_EXPORTER_OTLP_*), ${sampler}${share ? ` ${share}` : ""} (OTEL_TRACES_SAMPLER)`;
}

/** With exemplars where there are traces to name. Of several processes the metrics are merged, and those have none. */
export const scrapeFormat = (isMerged: boolean): "prometheus" | "openmetrics" =>
  isTraced() && !isMerged ? "openmetrics" : "prometheus";

/**
 * Without an endpoint nothing is traced. Else starts the OpenTelemetry SDK as the OTEL_* variables say (endpoint, protocol, headers, sampler, limits, resource). The SDK is loaded here and not
 * before: who does not trace pays neither its time nor its memory. One a process.
 */
export async function openTracing(counts: SpanCounts): Promise<Tracing> {
  if (!isTraced()) return { tracer: undefined, [Symbol.asyncDispose]: async () => {} };
  const [
    { NodeSDK },
    { defaultResource, resourceFromAttributes },
    { spanProcessor },
    { samplingFromEnv },
  ] = await Promise.all([
    import("@opentelemetry/sdk-node"),
    import("@opentelemetry/resources"),
    import("./span-export.js"),
    import("./sampling.js"),
  ]);
  const { sampler, isDrawn } = samplingFromEnv();
  const named = { "service.name": "sentiment-analyzer-pro", "service.version": OWN_VERSION };
  const sdk = new NodeSDK({
    resource: defaultResource().merge(resourceFromAttributes(named)),
    spanProcessors: [await spanProcessor(counts)],
    ...(sampler && { sampler }),
    // Metrics go by Prometheus, logs to the standard output.
    metricReaders: [],
    logRecordProcessors: [],
  });
  sdk.start();
  const sdkTracer = trace.getTracer("sentiment", OWN_VERSION);
  return {
    tracer: {
      begin(name, parent, state, links) {
        if (parent === undefined && !isDrawn()) return undefined;
        const span = startedSpan(sdkTracer, name, contextOf(parent, state), {
          kind: "server",
          ...(links && { links }),
        });
        return span.isRecording() ? new SentimentSpan(sdkTracer, span) : undefined;
      },
    },
    async [Symbol.asyncDispose]() {
      const late = new Promise<void>((resolve) => setTimeout(resolve, FLUSH_MS).unref());
      await Promise.race([sdk.shutdown().catch(() => {}), late]);
      trace.disable();
    },
  };
}

class SentimentSpan implements Span {
  readonly #tracer: SdkTracer;
  readonly #span: SdkSpan;
  readonly #startMs = Date.now();
  /** Steps are begun in it. Not the SDK's own context manager: a `Call` has its span with it. */
  #context: Context | undefined;

  constructor(tracer: SdkTracer, span: SdkSpan) {
    this.#tracer = tracer;
    this.#span = span;
  }

  get context(): SpanContext {
    return this.#span.spanContext();
  }

  get traceparent(): string {
    const { traceId, spanId, traceFlags } = this.context;
    return `00-${traceId}-${spanId}-${traceFlags.toString(16).padStart(2, "0")}`;
  }

  get tracestate(): string | undefined {
    return this.context.traceState?.serialize();
  }

  get traceId(): string {
    return this.context.traceId;
  }

  step(name: string, options: SpanOptions = {}): Span {
    this.#context ??= trace.setSpan(ROOT_CONTEXT, this.#span);
    return new SentimentSpan(this.#tracer, startedSpan(this.#tracer, name, this.#context, options));
  }

  set(attributes: Attributes): void {
    this.#span.setAttributes(attributes);
  }

  failed(error: unknown): void {
    const message = errorTypeOf(error);
    this.#span.setAttribute("error.type", message);
    this.#span.setStatus({ code: SpanStatusCode.ERROR, message });
  }

  end(afterMs?: number): void {
    this.#span.end(afterMs === undefined ? undefined : this.#startMs + afterMs);
  }
}

const startedSpan = (tracer: SdkTracer, name: string, context: Context, options: SpanOptions) =>
  tracer.startSpan(
    name,
    {
      kind: KINDS[options.kind ?? "internal"],
      ...(options.attributes && { attributes: options.attributes }),
      ...(options.links && { links: options.links.flatMap(linkOf) }),
    },
    context,
  );

const linkOf = (span: Span) => (span instanceof SentimentSpan ? [{ context: span.context }] : []);

/** Of a caller elsewhere. `parent` is a valid traceparent. */
function contextOf(parent: string | undefined, state: string | undefined): Context {
  if (parent === undefined) return ROOT_CONTEXT;
  const [, traceId = "", spanId = "", flags = ""] = parent.split("-");
  return trace.setSpanContext(ROOT_CONTEXT, {
    traceId,
    spanId,
    traceFlags: Number.parseInt(flags, 16) & 1,
    isRemote: true,
    ...(state && { traceState: new TraceState(state) }),
  });
}
