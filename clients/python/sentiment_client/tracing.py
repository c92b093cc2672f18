"""The active OpenTelemetry context as metadata, where OpenTelemetry is installed (the extra `otel`)."""

from __future__ import annotations

try:
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
except ImportError:

    def trace_metadata() -> list[tuple[str, str]]:
        return []

else:
    # Not the propagators that are set up globally: baggage is not the server's.
    _PROPAGATOR = TraceContextTextMapPropagator()

    def trace_metadata() -> list[tuple[str, str]]:
        """`traceparent`, and `tracestate` where there is one; nothing where no span is active."""
        carrier: dict[str, str] = {}
        _PROPAGATOR.inject(carrier)
        return list(carrier.items())
