package dev.sentiment.client;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;

import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.ClientCall;
import io.grpc.ClientInterceptor;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.opentelemetry.api.trace.Span;
import io.opentelemetry.api.trace.SpanContext;
import io.opentelemetry.api.trace.TraceFlags;
import io.opentelemetry.api.trace.TraceState;
import io.opentelemetry.context.Context;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** What goes along with calls. */
class MetadataTest {
  private static final String TRACE = "0af7651916cd43dd8448eb211c80319c";
  private static final String SPAN = "b7ad6b7169203331";

  private final ScriptedServer server = new ScriptedServer();

  @AfterEach
  void stop() {
    server.close();
  }

  /** What the next call came with. */
  private Map<String, String> sent() {
    Metadata headers = server.headers.remove();
    return headers.keys().stream()
        .filter(name -> !name.endsWith(Metadata.BINARY_HEADER_SUFFIX))
        .collect(
            Collectors.toMap(
                name -> name,
                name -> headers.get(Metadata.Key.of(name, Metadata.ASCII_STRING_MARSHALLER))));
  }

  private static void inSpan(Runnable work) {
    TraceState state = TraceState.builder().put("vendor", "said").build();
    SpanContext span = SpanContext.create(TRACE, SPAN, TraceFlags.getSampled(), state);
    Context.current().with(Span.wrap(span)).wrap(work).run();
  }

  private void assertTraced() {
    Map<String, String> headers = sent();
    assertEquals("00-" + TRACE + "-" + SPAN + "-01", headers.get("traceparent"));
    assertEquals("vendor=said", headers.get("tracestate"));
  }

  @Test
  void theKeyIsABearer() {
    try (SentimentClient client =
        SentimentClient.builder().address(server.address()).apiKey("sap_some").build()) {
      client.analyze("a");
    }
    assertEquals("Bearer sap_some", sent().get("authorization"));
  }

  @Test
  void theCurrentTraceGoesAlongWithEveryCall() {
    try (SentimentClient client = server.client()) {
      inSpan(
          () -> {
            client.analyze("a");
            client.analyzeBatch(List.of("a"));
            client.models();
          });
    }
    for (int i = 0; i < 3; i++) assertTraced();
  }

  @Test
  void helpersKeepTheTraceOfTheirMaking() {
    List<Stream<Outcome>> outcomes = new ArrayList<>();
    try (SentimentClient client = server.client()) {
      inSpan(() -> outcomes.add(client.analyzeAll(List.of("a"))));
      inSpan(() -> outcomes.add(client.analyzeStream(List.of("a"))));
      outcomes.forEach(asked -> assertEquals(1, asked.toList().size()));
    }
    for (int i = 0; i < 2; i++) assertTraced();
  }

  @Test
  void withoutATraceNoneIsSent() {
    try (SentimentClient client = server.client()) {
      client.analyze("a");
    }
    assertNull(sent().get("traceparent"));
  }

  @Test
  void aTraceContextOfOnesOwnIsSentInstead() {
    SentimentClientBuilder builder = SentimentClient.builder().address(server.address());
    try (SentimentClient client = builder.traceContext(() -> Map.of("x-request-id", "7")).build()) {
      inSpan(() -> client.analyze("a"));
    }
    Map<String, String> headers = sent();
    assertEquals("7", headers.get("x-request-id"));
    assertNull(headers.get("traceparent"));
  }

  @Test
  void interceptorsSeeEachCall() {
    List<String> seen = new ArrayList<>();
    ClientInterceptor interceptor =
        new ClientInterceptor() {
          @Override
          public <Q, R> ClientCall<Q, R> interceptCall(
              MethodDescriptor<Q, R> method, CallOptions options, Channel next) {
            seen.add(method.getBareMethodName());
            return next.newCall(method, options);
          }
        };
    try (SentimentClient client =
        SentimentClient.builder().address(server.address()).interceptor(interceptor).build()) {
      client.analyze("a");
      client.analyzeStream(List.of("a")).toList();
    }
    assertEquals(List.of("Analyze", "AnalyzeStream"), seen);
  }
}
