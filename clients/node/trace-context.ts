import { createRequire } from "node:module";
import type { Metadata } from "nice-grpc-common";

/** undefined: the program has no OpenTelemetry. Not imported, so that it may be missing; its state is of the whole process, however it was loaded. */
const api = load();

function load(): typeof import("@opentelemetry/api") | undefined {
  try {
    return createRequire(import.meta.url)("@opentelemetry/api");
  } catch {
    return undefined;
  }
}

/** Adds what the program's propagator makes of the active context: `traceparent` and `tracestate` unless it has chosen others. */
export function addTraceContext(metadata: Metadata): void {
  api?.propagation.inject(api.context.active(), metadata, {
    set: (carrier, name, value) => {
      carrier.set(name, value);
    },
  });
}
