package dev.sentiment.client;

import java.util.Map;
import java.util.function.Supplier;

/** Where the trace of whoever calls the client comes from. */
final class TraceContext {
  private TraceContext() {}

  /** Nothing where the application has no OpenTelemetry. */
  static Supplier<Map<String, String>> ofOpenTelemetry() {
    try {
      Class.forName("io.opentelemetry.api.trace.propagation.W3CTraceContextPropagator");
      return OpenTelemetryTrace::current;
    } catch (ClassNotFoundException | LinkageError absent) {
      return Map::of;
    }
  }
}
