package dev.sentiment.client;

import static dev.sentiment.client.ScriptedServer.error;
import static dev.sentiment.client.ScriptedServer.refusing;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.ClientCall;
import io.grpc.ClientInterceptor;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.Status;
import io.grpc.Status.Code;
import io.grpc.StatusRuntimeException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * When single calls are tried again, and what their errors say, with a server that refuses on
 * demand.
 */
class RetriesTest {
  private static final Duration SHORT = Duration.ofMillis(300);

  private final ScriptedServer server = new ScriptedServer();
  private final SentimentClient client = server.client();

  @AfterEach
  void stop() {
    client.close();
    server.close();
  }

  private static long millisOf(Runnable work) {
    long startedAtNanos = System.nanoTime();
    work.run();
    return (System.nanoTime() - startedAtNanos) / 1_000_000;
  }

  private static StatusRuntimeException pushedBack(String millis) {
    Metadata trailers = new Metadata();
    trailers.put(ScriptedServer.PUSHBACK, millis);
    return Status.UNAVAILABLE.asRuntimeException(trailers);
  }

  @Test
  void whatIsUnavailableIsTriedAgain() {
    server.analyze = refusing(4, call -> error(Code.UNAVAILABLE, "DRAINING", null), server.analyze);
    client.analyze("a");
    assertEquals(5, server.headers.size());
  }

  @Test
  void afterFiveTriesItFails() {
    server.analyze = refusing(9, call -> error(Code.UNAVAILABLE, "DRAINING", null), server.analyze);
    SentimentException thrown = assertThrows(SentimentException.class, () -> client.analyze("a"));
    assertEquals(Reason.DRAINING, thrown.reason());
    assertEquals(5, server.headers.size());
  }

  @Test
  void itWaitsAsLongAsTheServerSays() {
    server.analyze = refusing(1, call -> pushedBack("700"), server.analyze);
    long millis = millisOf(() -> client.analyze("a"));
    assertTrue(millis >= 700, () -> millis + " ms");
    assertEquals(2, server.headers.size());
  }

  @ParameterizedTest
  @ValueSource(strings = {"-1", "soon", "3600000"})
  void itFailsAtOnceWhenTheServerForbidsAnotherTryOrWantsItPastTheDeadline(String pushback) {
    server.analyze = refusing(1, call -> pushedBack(pushback), server.analyze);
    SentimentException thrown = assertThrows(SentimentException.class, () -> client.analyze("a"));
    assertEquals(Code.UNAVAILABLE, thrown.code());
    assertEquals(1, server.headers.size());
  }

  @Test
  void closingTheClientEndsWhatWaitsForAnotherTry() {
    server.analyze = refusing(1, call -> pushedBack("20000"), server.analyze);
    CompletableFuture<?> answer = client.analyzeAsync("a");
    Waiting.until(() -> server.headers.size() == 1, "the call has come");
    Waiting.pause(100);
    assertFalse(answer.isDone());
    client.close();
    CompletionException thrown = assertThrows(CompletionException.class, answer::join);
    assertInstanceOf(SentimentException.class, thrown.getCause());
  }

  @Test
  void anInterceptorThatThrowsFailsTheCall() {
    SentimentClientBuilder builder = SentimentClient.builder().address(server.address());
    ClientInterceptor broken =
        new ClientInterceptor() {
          @Override
          public <Q, R> ClientCall<Q, R> interceptCall(
              MethodDescriptor<Q, R> method, CallOptions options, Channel next) {
            throw new IllegalStateException("broken");
          }
        };
    try (SentimentClient one = builder.interceptor(broken).build()) {
      assertThrows(SentimentException.class, () -> one.analyze("a"));
      for (Way way : Way.values()) {
        assertThrows(SentimentException.class, () -> way.ask(one, List.of("a"), SHORT).toList());
      }
    }
  }

  @Test
  void oneCallIsNotTriedAgainWhenItIsRefused() {
    StatusRuntimeException refusal = error(Code.RESOURCE_EXHAUSTED, "RATE_LIMITED", SHORT);
    server.analyze = refusing(9, call -> refusal, server.analyze);
    SentimentException thrown = assertThrows(SentimentException.class, () -> client.analyze("a"));
    assertEquals(Reason.RATE_LIMITED, thrown.reason());
    assertEquals(SHORT, thrown.retryAfter().orElseThrow());
    assertEquals(1, server.headers.size());
  }

  @Test
  void unknownReasonsPassThrough() {
    server.analyze =
        (request, answer) -> answer.onError(error(Code.ABORTED, "OF_ANOTHER_TIME", null));
    SentimentException thrown = assertThrows(SentimentException.class, () -> client.analyze("a"));
    assertEquals("OF_ANOTHER_TIME", thrown.reason());
    assertEquals(Code.ABORTED, thrown.code());
    assertEquals("so the test says", thrown.getMessage());
  }

  @Test
  void detailsThatCannotBeReadAreNone() {
    Metadata trailers = new Metadata();
    trailers.put(
        Metadata.Key.of("grpc-status-details-bin", Metadata.BINARY_BYTE_MARSHALLER),
        new byte[] {-1, -1, -1});
    server.analyze =
        (request, answer) -> answer.onError(Status.INTERNAL.asRuntimeException(trailers));
    SentimentException thrown = assertThrows(SentimentException.class, () -> client.analyze("a"));
    assertEquals("INTERNAL", thrown.reason());
    assertEquals(List.of(), thrown.violations());
  }

  @Test
  void aCancelledFutureCancelsItsCall() {
    CompletableFuture<String> asked = new CompletableFuture<>();
    server.analyze = (request, answer) -> asked.complete(request.getText());
    CompletableFuture<?> answer = client.analyzeAsync("a");
    // Not its headers alone, which come before the server is told of a cancel.
    assertEquals("a", asked.join());
    answer.cancel(true);
    Waiting.until(() -> server.cancelled.get() == 1, "the call is cancelled");
  }
}
