package dev.sentiment.client;

import io.opentelemetry.api.trace.propagation.W3CTraceContextPropagator;
import io.opentelemetry.context.Context;
import java.util.HashMap;
import java.util.Map;

/** Loaded only where its API is on the class path. */
final class OpenTelemetryTrace {
  private OpenTelemetryTrace() {}

  /** traceparent and tracestate of the current span; nothing without one. */
  static Map<String, String> current() {
    Map<String, String> headers = new HashMap<>();
    W3CTraceContextPropagator.getInstance()
        .inject(Context.current(), headers, (carrier, name, value) -> carrier.put(name, value));
    return headers;
  }
}
