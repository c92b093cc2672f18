package dev.sentiment.client;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.sentiment.v1.Sentiment;
import dev.sentiment.v1.Tier;
import io.grpc.Status.Code;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.function.LongFunction;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** Both ways to ask many texts, against the real server. */
class HelpersTest {
  private static final int MANY = 1000;
  private static final LongFunction<String> NUMBERED = i -> "Part " + i + " works well.";

  private static RealServer server;
  private static SentimentClient client;

  @BeforeAll
  static void start() {
    server = RealServer.start();
    client = SentimentClient.connect(server.address);
  }

  @AfterAll
  static void stop() {
    client.close();
    server.close();
  }

  private static List<String> texts(int count) {
    return LongStream.range(0, count).mapToObj(NUMBERED).toList();
  }

  @ParameterizedTest
  @EnumSource
  void answersAllInTheirOrder(Way way) {
    List<String> texts = new ArrayList<>(texts(MANY));
    texts.set(500, "");
    List<Outcome> outcomes = way.ask(client, texts).toList();
    assertEquals(texts, outcomes.stream().map(Outcome::text).toList());
    assertEquals(
        LongStream.range(0, MANY).boxed().toList(), outcomes.stream().map(Outcome::index).toList());
    Outcome.Failure empty = assertInstanceOf(Outcome.Failure.class, outcomes.get(500));
    assertEquals(Reason.TEXT_EMPTY, empty.error().reason());
    assertEquals(MANY - 1, outcomes.stream().filter(Outcome.Success.class::isInstance).count());
  }

  @ParameterizedTest
  @EnumSource
  void onlyTheTextThatIsTooLargeSuffers(Way way) {
    List<String> texts = new ArrayList<>(texts(60));
    texts.set(20, "x".repeat(5_000_000));
    List<Outcome> outcomes = way.ask(client, texts).toList();
    Outcome.Failure large = assertInstanceOf(Outcome.Failure.class, outcomes.get(20));
    assertEquals(Code.RESOURCE_EXHAUSTED, large.error().code());
    assertEquals(59, outcomes.stream().filter(Outcome.Success.class::isInstance).count());
  }

  @Test
  void bothWaysSayTheSameAsSingleCalls() {
    List<String> texts = List.of("I love it.", "It broke.", "The box is blue.", "Not bad at all!");
    List<Float> alone =
        texts.stream().map(text -> client.analyze(text).getSentiment().getScore()).toList();
    for (Way way : Way.values()) {
      List<Float> together =
          way.ask(client, texts).map(Outcome::sentiment).map(Sentiment::getScore).toList();
      assertEquals(alone, together, way.name());
    }
  }

  @ParameterizedTest
  @EnumSource
  void anEndlessSourceIsReadAsFarAsItIsNeeded(Way way) {
    List<Long> read = new ArrayList<>();
    Iterable<String> endless =
        () -> LongStream.iterate(0, i -> i + 1).peek(read::add).mapToObj(NUMBERED).iterator();
    try (Stream<Outcome> outcomes = way.ask(client, endless)) {
      assertEquals(700, outcomes.limit(700).map(Outcome::sentiment).toList().size());
    }
    assertTrue(read.size() <= 700 + 256, () -> read.size() + " texts were read");
  }

  @ParameterizedTest
  @EnumSource
  void nothingIsDoneForNoTexts(Way way) {
    assertEquals(List.of(), way.ask(client, List.of()).toList());
  }

  @ParameterizedTest
  @EnumSource
  void aSourceThatLetsWaitHoldsUpNothing(Way way) {
    CompletableFuture<String> second = new CompletableFuture<>();
    Iterable<String> slow =
        () ->
            Stream.of(CompletableFuture.completedFuture("first"), second)
                .map(CompletableFuture::join)
                .iterator();
    try (Stream<Outcome> outcomes = way.ask(client, slow)) {
      Iterator<Outcome> iterator = outcomes.iterator();
      assertEquals("first", iterator.next().text());
      second.complete("second");
      assertEquals("second", iterator.next().text());
    }
  }

  @ParameterizedTest
  @EnumSource
  void whatIsRefusedForOverloadIsAskedAgain(Way way) {
    AnalyzeParams params = AnalyzeParams.DEFAULT.withTier(Tier.TIER_ACCURATE);
    List<String> texts =
        LongStream.range(0, 300).mapToObj(i -> "a good story ".repeat(20) + i).toList();
    try (RealServer slow = RealServer.start(Map.of("QUEUE_TIMEOUT", "0.1"));
        SentimentClient other = SentimentClient.connect(slow.address)) {
      List<Outcome> outcomes = way.ask(other, texts, params).toList();
      assertEquals(texts, outcomes.stream().map(Outcome::text).toList());
      outcomes.forEach(outcome -> assertInstanceOf(Outcome.Success.class, outcome));
      assertTrue(slow.metric("sentiment_shed_total") > 0, "nothing was refused");
    }
  }

  @ParameterizedTest
  @CsvSource({"BATCH,KILL", "BATCH,DRAIN", "STREAM,KILL", "STREAM,DRAIN"})
  void aRestartLosesNothing(Way way, String how) {
    int port = RealServer.freePort();
    RealServer first = RealServer.start(port);
    CompletableFuture<RealServer> second = new CompletableFuture<>();
    Iterable<String> endless =
        () -> LongStream.iterate(0, i -> i + 1).mapToObj(NUMBERED).iterator();
    List<Outcome> outcomes = new ArrayList<>();
    try (SentimentClient restarted = SentimentClient.connect(first.address);
        Stream<Outcome> asked = way.ask(restarted, endless)) {
      Iterator<Outcome> iterator = asked.iterator();
      while (outcomes.size() < MANY) outcomes.add(iterator.next());
      restart(first, how, port, second);
      while (!second.isDone()) outcomes.add(iterator.next());
      for (int i = 0; i < MANY; i++) outcomes.add(iterator.next());
    } finally {
      first.close();
      second.join().close();
    }
    for (int i = 0; i < outcomes.size(); i++) {
      Outcome.Success success = assertInstanceOf(Outcome.Success.class, outcomes.get(i));
      assertEquals(i, success.index());
      assertEquals(NUMBERED.apply(i), success.text());
    }
  }

  /** Beside the consumer, which goes on. */
  private static void restart(
      RealServer first, String how, int port, CompletableFuture<RealServer> second) {
    CompletableFuture.runAsync(how.equals("KILL") ? first::kill : first::drain)
        .thenApply(ended -> RealServer.start(port))
        .whenComplete(
            (server, error) -> {
              if (error == null) second.complete(server);
              else second.completeExceptionally(error);
            });
  }
}
