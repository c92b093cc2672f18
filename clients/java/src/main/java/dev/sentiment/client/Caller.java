package dev.sentiment.client;

import io.grpc.Context;
import io.grpc.Metadata;
import io.grpc.stub.AbstractStub;
import io.grpc.stub.MetadataUtils;
import java.util.Map;

/**
 * The trace and the gRPC context that were current when the client was called: other threads may
 * make its calls later.
 */
record Caller(Metadata trace, Context context) {
  static Caller current(Map<String, String> traceContext) {
    Metadata trace = new Metadata();
    traceContext.forEach(
        (name, value) -> trace.put(Metadata.Key.of(name, Metadata.ASCII_STRING_MARSHALLER), value));
    return new Caller(trace, Context.current());
  }

  <S extends AbstractStub<S>> S traced(S stub) {
    return stub.withInterceptors(MetadataUtils.newAttachHeadersInterceptor(trace));
  }
}
