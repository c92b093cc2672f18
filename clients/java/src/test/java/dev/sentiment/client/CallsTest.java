package dev.sentiment.client;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.sentiment.v1.AnalyzeOptions;
import dev.sentiment.v1.AnalyzeResponse;
import dev.sentiment.v1.Label;
import dev.sentiment.v1.LongText;
import dev.sentiment.v1.Model;
import dev.sentiment.v1.Sentiment;
import dev.sentiment.v1.Tier;
import io.grpc.Status.Code;
import java.time.Duration;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CompletionException;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Single calls against the real server. */
class CallsTest {
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

  private static AnalyzeParams with(AnalyzeOptions.Builder options) {
    return AnalyzeParams.DEFAULT.withOptions(options.build());
  }

  private static SentimentException thrownBy(Runnable call) {
    return assertThrows(SentimentException.class, call::run);
  }

  @Test
  void analyzesOneText() {
    AnalyzeResponse response = client.analyze("I love this product!");
    Sentiment sentiment = response.getSentiment();
    assertEquals(Label.LABEL_POSITIVE, sentiment.getLabel());
    assertTrue(sentiment.getScore() > 0.5, () -> "score " + sentiment.getScore());
    assertEquals(Tier.TIER_FAST, sentiment.getTier());
    assertTrue(response.getTiming().getTotal().getNanos() > 0);
  }

  @Test
  void asksTheTierThatIsNamed() {
    AnalyzeParams params = AnalyzeParams.DEFAULT.withTier(Tier.TIER_BALANCED);
    Sentiment sentiment = client.analyze("It broke at once.", params).getSentiment();
    assertEquals(Tier.TIER_BALANCED, sentiment.getTier());
    assertEquals(Label.LABEL_NEGATIVE, sentiment.getLabel());
  }

  @Test
  void passesOptionsOn() {
    String text = "I love the food. I hate the service.";
    Sentiment sentiment =
        client
            .analyze(text, with(AnalyzeOptions.newBuilder().setSentences(true).setExplain(true)))
            .getSentiment();
    assertEquals(2, sentiment.getSentencesCount());
    assertEquals(Label.LABEL_NEGATIVE, sentiment.getSentences(1).getLabel());
    assertTrue(
        sentiment.getAttributionsList().stream().anyMatch(word -> word.getToken().equals("love")));
  }

  @Test
  void answersInTheFuture() {
    assertEquals(
        Label.LABEL_NEGATIVE,
        client.analyzeAsync("Terrible quality").join().getSentiment().getLabel());
    CompletionException thrown =
        assertThrows(CompletionException.class, () -> client.analyzeAsync(" ").join());
    assertEquals(
        Reason.TEXT_EMPTY, assertInstanceOf(SentimentException.class, thrown.getCause()).reason());
  }

  @Test
  void failsABadTextOfABatchAlone() {
    List<Outcome> outcomes = client.analyzeBatch(List.of("It works.", " ", "It broke."));
    assertEquals(List.of(0L, 1L, 2L), outcomes.stream().map(Outcome::index).toList());
    assertEquals(Label.LABEL_POSITIVE, outcomes.get(0).sentiment().getLabel());
    assertEquals(Label.LABEL_NEGATIVE, outcomes.get(2).sentiment().getLabel());
    SentimentException error = thrownBy(() -> outcomes.get(1).sentiment());
    assertEquals(Reason.TEXT_EMPTY, error.reason());
    assertEquals(Code.INVALID_ARGUMENT, error.code());
    assertEquals("texts[1]", error.violations().get(0).field());
  }

  @Test
  void listsTheModels() {
    List<Model> models = client.models();
    assertEquals(
        List.of(Tier.TIER_FAST, Tier.TIER_BALANCED, Tier.TIER_ACCURATE),
        models.stream().map(Model::getTier).toList());
    assertTrue(models.get(0).getDefaultTier());
  }

  @Test
  void saysWhatIsWrongWithAText() {
    SentimentException error = thrownBy(() -> client.analyze(" \n"));
    assertEquals(Code.INVALID_ARGUMENT, error.code());
    assertEquals(Reason.TEXT_EMPTY, error.reason());
    assertEquals("text", error.violations().get(0).field());
    assertEquals(error.getMessage(), error.violations().get(0).description());
    assertTrue(error.retryAfter().isEmpty());
    assertTrue(error.toString().contains("INVALID_ARGUMENT TEXT_EMPTY: text is empty"));
    assertEquals(
        CallsTest.class.getName(),
        List.of(error.getStackTrace()).stream()
            .map(StackTraceElement::getClassName)
            .filter(name -> name.equals(CallsTest.class.getName()))
            .findFirst()
            .orElse("not the caller's stack"));
  }

  @Test
  void tellsTheReasonsOfRefusedRequestsApart() {
    String tooLong = "a".repeat(10_001);
    assertEquals(Reason.TEXT_TOO_LONG, thrownBy(() -> client.analyze(tooLong)).reason());
    AnalyzeParams reject = with(AnalyzeOptions.newBuilder().setLongText(LongText.LONG_TEXT_REJECT));
    String manyTokens = "word ".repeat(1000);
    assertEquals(Reason.TEXT_TOO_LONG, thrownBy(() -> client.analyze(manyTokens, reject)).reason());
    AnalyzeParams unknown = with(AnalyzeOptions.newBuilder().setLongTextValue(9));
    assertEquals(Reason.OPTION_UNKNOWN, thrownBy(() -> client.analyze("a", unknown)).reason());
    List<String> tooMany = Collections.nCopies(101, "a");
    assertEquals(Reason.BATCH_TOO_LARGE, thrownBy(() -> client.analyzeBatch(tooMany)).reason());
    assertEquals(Reason.BATCH_EMPTY, thrownBy(() -> client.analyzeBatch(List.of())).reason());
  }

  @Test
  void keepsToTheDeadline() {
    AnalyzeParams params = AnalyzeParams.DEFAULT.withDeadline(Duration.ofNanos(1));
    SentimentException error = thrownBy(() -> client.analyze("a", params));
    assertEquals(Code.DEADLINE_EXCEEDED, error.code());
    assertEquals("DEADLINE_EXCEEDED", error.reason());
    try (SentimentClient hasty =
        SentimentClient.builder().address(server.address).deadline(Duration.ofNanos(1)).build()) {
      assertEquals(Code.DEADLINE_EXCEEDED, thrownBy(hasty::models).code());
    }
  }

  @Test
  void saysThatNobodyListens() {
    try (SentimentClient lost = SentimentClient.connect("127.0.0.1:" + RealServer.freePort())) {
      SentimentException error = thrownBy(() -> lost.analyze("a"));
      assertEquals(Code.UNAVAILABLE, error.code());
      assertEquals("UNAVAILABLE", error.reason());
    }
  }

  @Test
  void leavesTheThreadInterrupted() {
    Thread.currentThread().interrupt();
    assertEquals(Code.CANCELLED, thrownBy(() -> client.analyze("a")).code());
    assertTrue(Thread.interrupted());
  }

  @Test
  void answersNoMoreOnceItIsClosed() {
    SentimentClient closed = SentimentClient.connect(server.address);
    closed.close();
    closed.close();
    assertEquals(Code.UNAVAILABLE, thrownBy(() -> closed.analyze("a")).code());
    SentimentException error = thrownBy(() -> closed.analyzeAll(List.of("a")).toList());
    assertEquals(Code.UNAVAILABLE, error.code());
    assertFalse(error.getMessage().contains("no text was answered"), error.getMessage());
  }
}
