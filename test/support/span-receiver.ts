import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";
import { createGunzip } from "node:zlib";

interface OtlpValue {
  readonly stringValue?: string;
  readonly intValue?: number | string;
  readonly doubleValue?: number;
  readonly boolValue?: boolean;
}

interface OtlpSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  readonly kind: number;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly attributes?: readonly { readonly key: string; readonly value: OtlpValue }[];
  readonly links?: readonly { readonly traceId: string; readonly spanId: string }[];
  readonly status?: { readonly code?: number; readonly message?: string };
}

export interface ReceivedSpan extends Omit<OtlpSpan, "attributes" | "links"> {
  readonly attributes: Readonly<Record<string, string | number | boolean | undefined>>;
  readonly links: readonly { readonly traceId: string; readonly spanId: string }[];
}

export interface SpanReceiver extends AsyncDisposable {
  /** For a server that is to send its spans here, soon after they have ended. */
  readonly env: Readonly<Record<string, string>>;
  readonly spans: readonly ReceivedSpan[];
  /** All that came, as it came. */
  readonly bodies: readonly string[];
  /** Spans of which `is` holds, as soon as there are so many; throws after ten seconds. */
  until(count: number, is: (span: ReceivedSpan) => boolean): Promise<readonly ReceivedSpan[]>;
}

/** Takes spans by OTLP over HTTP with JSON, on a free port. */
export async function receiveSpans(): Promise<SpanReceiver> {
  const spans: ReceivedSpan[] = [];
  const bodies: string[] = [];
  const server = createServer(async (request, response) => {
    const isZipped = request.headers["content-encoding"] === "gzip";
    const body = await text(isZipped ? request.pipe(createGunzip()) : request);
    bodies.push(body);
    spans.push(...spansOf(body));
    response.writeHead(200, { "content-type": "application/json" }).end("{}");
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    env: {
      OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}`,
      OTEL_EXPORTER_OTLP_PROTOCOL: "http/json",
      OTEL_BSP_SCHEDULE_DELAY: "50",
    },
    spans,
    bodies,
    async until(count, is) {
      for (let tries = 0; tries < 200; tries++) {
        const found = spans.filter(is);
        if (found.length >= count) return found;
        await sleep(50);
      }
      const names = spans.map(({ name }) => name).join(", ");
      throw new Error(`no ${count} such spans came; what came: ${names}`);
    },
    async [Symbol.asyncDispose]() {
      const closed = once(server, "close");
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

function spansOf(body: string): ReceivedSpan[] {
  const { resourceSpans = [] } = JSON.parse(body);
  const all: OtlpSpan[] = resourceSpans.flatMap(
    ({ scopeSpans }: { scopeSpans: readonly { spans: readonly OtlpSpan[] }[] }) =>
      scopeSpans.flatMap((scope) => scope.spans),
  );
  return all.map(({ attributes = [], links = [], ...span }) => ({
    ...span,
    links,
    attributes: Object.fromEntries(attributes.map(({ key, value }) => [key, plain(value)])),
  }));
}

const plain = ({ stringValue, intValue, doubleValue, boolValue }: OtlpValue) =>
  stringValue ??
  (intValue === undefined ? undefined : Number(intValue)) ??
  doubleValue ??
  boolValue;
