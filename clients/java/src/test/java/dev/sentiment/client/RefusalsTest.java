package dev.sentiment.client;

import static dev.sentiment.client.ScriptedServer.error;
import static dev.sentiment.client.ScriptedServer.refusing;
import static dev.sentiment.client.ScriptedServer.status;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.sentiment.v1.AnalyzeStreamRequest;
import dev.sentiment.v1.AnalyzeStreamResponse;
import io.grpc.Status.Code;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.StreamObserver;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.Iterator;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.BiConsumer;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What asking many texts does about refusals, with a server that refuses on demand. */
class RefusalsTest {
  private static final Duration SHORT = Duration.ofMillis(300);
  private static final Duration LONG = Duration.ofSeconds(3);

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

  @Test
  void aRefusedBatchIsAskedAgainWhenTheServerSays() {
    StatusRuntimeException refusal = error(Code.RESOURCE_EXHAUSTED, "OVERLOADED", SHORT);
    server.batch = refusing(2, call -> refusal, server.batch);
    long millis = millisOf(() -> assertAnswered(Way.BATCH, 100));
    assertTrue(millis >= SHORT.toMillis(), () -> millis + " ms");
  }

  @Test
  void aRefusedStreamIsOpenedAnew() {
    StatusRuntimeException refusal = error(Code.RESOURCE_EXHAUSTED, "OVERLOADED", SHORT);
    server.stream = refusing(1, call -> refusal, server.stream);
    long millis = millisOf(() -> assertAnswered(Way.STREAM, 100));
    assertTrue(millis >= SHORT.toMillis(), () -> millis + " ms");
    assertEquals(2, server.headers.size());
  }

  @Test
  void aStreamThatEndsEarlyOrIdlyIsOpenedAnew() {
    BiConsumer<AnalyzeStreamRequest, StreamObserver<AnalyzeStreamResponse>> well = server.stream;
    server.stream =
        (request, answer) -> {
          well.accept(request, answer);
          if (request.getId().equals("3")) answer.onCompleted();
          if (request.getId().equals("9")) {
            answer.onError(error(Code.DEADLINE_EXCEEDED, "DEADLINE", null));
          }
        };
    assertAnswered(Way.STREAM, 20);
    assertEquals(3, server.headers.size());
    // The answers of 3 and 9 had come.
    assertEquals(20, new HashSet<>(server.streamed).size());
  }

  @ParameterizedTest
  @EnumSource
  void aRefusedTextIsAskedAgainAlone(Way way) {
    Set<String> refused = ConcurrentHashMap.newKeySet();
    server.stream =
        (request, answer) -> {
          AnalyzeStreamResponse.Builder response = ScriptedServer.wellAnswered(request).toBuilder();
          if (request.getText().equals("text 7") && refused.add("text 7")) {
            response.setError(status(Code.UNAVAILABLE, "BACKEND_DOWN", SHORT));
          }
          answer.onNext(response.build());
        };
    server.batch =
        (request, answer) -> {
          var response = ScriptedServer.wellAnswered(request).toBuilder();
          int place = request.getTextsList().indexOf("text 7");
          if (place >= 0 && refused.add("text 7")) {
            response
                .getResultsBuilder(place)
                .setError(status(Code.UNAVAILABLE, "BACKEND_DOWN", SHORT));
          }
          answer.onNext(response.build());
          answer.onCompleted();
        };
    assertAnswered(way, 50);
    List<String> asked =
        way == Way.STREAM
            ? List.copyOf(server.streamed)
            : server.batches.stream().flatMap(List::stream).toList();
    assertEquals(51, asked.size());
    assertEquals(2, Collections.frequency(asked, "text 7"));
  }

  private void assertAnswered(Way way, int count) {
    List<String> texts = IntStream.range(0, count).mapToObj(i -> "text " + i).toList();
    List<Outcome> outcomes = way.ask(client, texts).toList();
    assertEquals(texts, outcomes.stream().map(Outcome::text).toList());
    outcomes.forEach(outcome -> assertInstanceOf(Outcome.Success.class, outcome));
  }

  @ParameterizedTest
  @EnumSource
  void itGivesUpAndTellsTheLastRefusal(Way way) {
    server.batch =
        (request, answer) ->
            answer.onError(error(Code.RESOURCE_EXHAUSTED, "OVERLOADED", Duration.ofHours(1)));
    server.stream =
        (request, answer) ->
            answer.onError(error(Code.RESOURCE_EXHAUSTED, "OVERLOADED", Duration.ofHours(1)));
    SentimentException thrown =
        assertThrows(SentimentException.class, () -> way.ask(client, List.of("a"), LONG).toList());
    assertEquals(Reason.OVERLOADED, thrown.reason());
    assertEquals(
        "no text was answered for 3.0 s; the last the server said: so the test says",
        thrown.getMessage());
  }

  @ParameterizedTest
  @EnumSource
  void aRefusalFromBeforeTheLastAnswerIsNotWhyItGivesUp(Way way) {
    StatusRuntimeException refusal = error(Code.RESOURCE_EXHAUSTED, "OVERLOADED", SHORT);
    var answersBatch = server.batch;
    server.batch =
        refusing(
            1,
            call -> refusal,
            (request, answer) -> {
              if (request.getTexts(0).equals("first")) answersBatch.accept(request, answer);
            });
    var answersStream = server.stream;
    server.stream =
        refusing(
            1,
            call -> refusal,
            (request, answer) -> {
              if (request.getText().equals("first")) answersStream.accept(request, answer);
            });
    CompletableFuture<String> second = new CompletableFuture<>();
    Iterable<String> texts =
        () ->
            Stream.of(CompletableFuture.completedFuture("first"), second)
                .map(CompletableFuture::join)
                .iterator();
    Iterator<Outcome> outcomes = way.ask(client, texts, LONG).iterator();
    assertEquals("first", outcomes.next().text());
    second.complete("second");
    SentimentException thrown = assertThrows(SentimentException.class, outcomes::next);
    assertEquals("UNAVAILABLE", thrown.reason());
    assertEquals("no text was answered for 3.0 s", thrown.getMessage());
  }

  @Test
  void aBatchWithoutAnAnswerInTimeIsAskedAgain() {
    var answers = server.batch;
    server.batch =
        (request, answer) -> {
          if (server.batches.size() > 1) answers.accept(request, answer);
        };
    assertEquals(List.of("a"), askInTime().map(Outcome::text).toList());
    assertTrue(server.batches.size() > 1, () -> server.batches.size() + " calls");
  }

  @Test
  void itGivesUpWhereNoBatchIsAnsweredInTime() {
    server.batch = (request, answer) -> {};
    SentimentException thrown = assertThrows(SentimentException.class, () -> askInTime().toList());
    assertEquals(Code.DEADLINE_EXCEEDED, thrown.code());
    assertTrue(thrown.getMessage().startsWith("no text was answered for 3.0 s; the last"));
    assertTrue(server.batches.size() > 1, () -> server.batches.size() + " calls");
  }

  @Test
  void aDeadlineThatTheServerSpeaksOfIsTheEnd() {
    server.batch =
        (request, answer) -> answer.onError(error(Code.DEADLINE_EXCEEDED, "DEADLINE", null));
    SentimentException thrown = assertThrows(SentimentException.class, () -> askInTime().toList());
    assertEquals(Reason.DEADLINE, thrown.reason());
    assertEquals(1, server.batches.size());
  }

  /** One text by batches, each of which may take {@link #SHORT}. */
  private Stream<Outcome> askInTime() {
    return client.analyzeAll(
        List.of("a"),
        AnalyzeParams.DEFAULT.withDeadline(SHORT),
        BatchSettings.DEFAULT.withGiveUpAfter(LONG));
  }

  @ParameterizedTest
  @EnumSource
  void tooMuchMetadataIsNotAskedAgain(Way way) {
    StatusRuntimeException refusal = error(Code.RESOURCE_EXHAUSTED, "METADATA_TOO_LARGE", null);
    server.batch = refusing(1, call -> refusal, server.batch);
    server.stream = refusing(1, call -> refusal, server.stream);
    SentimentException thrown =
        assertThrows(SentimentException.class, () -> way.ask(client, List.of("a")).toList());
    assertEquals(Reason.METADATA_TOO_LARGE, thrown.reason());
    assertEquals(1, server.headers.size());
  }

  @ParameterizedTest
  @EnumSource
  void itGivesUpWhereNothingIsSaid(Way way) {
    server.batch = (request, answer) -> {};
    server.stream = (request, answer) -> {};
    SentimentException thrown =
        assertThrows(SentimentException.class, () -> way.ask(client, List.of("a"), SHORT).toList());
    assertEquals(Code.UNAVAILABLE, thrown.code());
    Waiting.until(() -> server.cancelled.get() == 1, "the call is cancelled");
  }

  @ParameterizedTest
  @EnumSource
  void whoeverStopsEarlyCancelsWhatIsUnderWay(Way way) {
    server.batch = (request, answer) -> {};
    server.stream = (request, answer) -> {};
    Iterator<String> texts = Stream.iterate("a", text -> text + "a").iterator();
    CompletableFuture<SentimentException> ended = new CompletableFuture<>();
    Stream<Outcome> outcomes = way.ask(client, () -> texts);
    Thread consumer =
        new Thread(
            () ->
                ended.complete(
                    assertThrows(SentimentException.class, () -> outcomes.iterator().next())));
    consumer.start();
    // Not its headers alone, which come before the server is told of a cancel.
    Waiting.until(
        () -> !server.batches.isEmpty() || !server.streamed.isEmpty(), "the call has come");
    outcomes.close();
    assertEquals(Code.CANCELLED, ended.join().code());
    Waiting.until(() -> server.cancelled.get() >= 1, "the call is cancelled");
  }

  @ParameterizedTest
  @EnumSource
  void closingTheClientEndsTheOutcomes(Way way) {
    server.batch = (request, answer) -> {};
    server.stream = (request, answer) -> {};
    CompletableFuture<?> closed =
        CompletableFuture.runAsync(
            () -> {
              Waiting.until(() -> !server.headers.isEmpty(), "the call has come");
              client.close();
            });
    SentimentException thrown =
        assertThrows(SentimentException.class, () -> way.ask(client, List.of("a")).toList());
    assertEquals(Code.CANCELLED, thrown.code());
    closed.join();
  }

  @ParameterizedTest
  @EnumSource
  void whatTheSourceThrowsComesAfterTheOutcomesBefore(Way way) {
    Iterable<String> broken =
        () ->
            IntStream.range(0, 9)
                .mapToObj(
                    i -> {
                      if (i == 5) throw new IllegalStateException("no more");
                      return "text " + i;
                    })
                .iterator();
    Iterator<Outcome> outcomes = way.ask(client, broken).iterator();
    for (int i = 0; i < 5; i++) assertEquals("text " + i, outcomes.next().text());
    IllegalStateException thrown = assertThrows(IllegalStateException.class, outcomes::hasNext);
    assertEquals("no more", thrown.getMessage());
  }

  @Test
  void callsAreNoLargerAndNoMoreThanSet() {
    List<StreamObserver<?>> open = Collections.synchronizedList(new ArrayList<>());
    server.batch = (request, answer) -> open.add(answer);
    List<String> texts = IntStream.range(0, 100).mapToObj(i -> "text " + i).toList();
    BatchSettings settings = BatchSettings.DEFAULT.withBatchSize(10).withConcurrency(3);
    try (Stream<Outcome> outcomes = client.analyzeAll(texts, AnalyzeParams.DEFAULT, settings)) {
      CompletableFuture.runAsync(() -> outcomes.iterator().hasNext());
      Waiting.until(() -> open.size() == 3, "three calls have come");
      Waiting.pause(100);
      assertEquals(3, open.size());
      assertTrue(server.batches.stream().allMatch(batch -> batch.size() <= 10));
    }
  }

  @Test
  void aStreamIsSentNoMoreThanIsSet() {
    server.stream = (request, answer) -> {};
    List<String> texts = IntStream.range(0, 100).mapToObj(i -> "text " + i).toList();
    StreamSettings settings = StreamSettings.DEFAULT.withMaxUnderWay(7);
    try (Stream<Outcome> outcomes = client.analyzeStream(texts, AnalyzeParams.DEFAULT, settings)) {
      CompletableFuture.runAsync(() -> outcomes.iterator().hasNext());
      Waiting.until(() -> server.streamed.size() == 7, "seven texts have come");
      Waiting.pause(100);
      assertEquals(7, server.streamed.size());
    }
  }
}
