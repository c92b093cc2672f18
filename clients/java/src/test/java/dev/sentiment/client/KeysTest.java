package dev.sentiment.client;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.sentiment.v1.Label;
import io.grpc.Status.Code;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Keys and quotas of the real server. */
class KeysTest {
  @TempDir static Path folder;

  private static String good;
  private static String admin;
  private static String poor;
  private static RealServer server;

  @BeforeAll
  static void start() {
    good = newKey("good");
    admin = newKey("admin", "--rights", "admin");
    poor = newKey("poor", "--tokens-per-minute", "60");
    server = RealServer.start(Map.of("API_KEYS_FILE", folder.resolve("keys.json").toString()));
  }

  @AfterAll
  static void stop() {
    server.close();
  }

  private static String newKey(String name, String... settings) {
    Stream<String> command = Stream.of("node", "dist/server/keys-cli.js", "new", "--name", name);
    String file = folder.resolve("keys.json").toString();
    return RealServer.run(
            Map.of("API_KEYS_FILE", file),
            Stream.concat(command, Stream.of(settings)).toArray(String[]::new))
        .strip();
  }

  private static SentimentClient client(String key) {
    SentimentClientBuilder builder = SentimentClient.builder().address(server.address);
    return key == null ? builder.build() : builder.apiKey(key).build();
  }

  private static SentimentException refused(String key) {
    try (SentimentClient client = client(key)) {
      return assertThrows(SentimentException.class, () -> client.analyze("a"));
    }
  }

  @Test
  void letsAGoodKeyIn() {
    try (SentimentClient client = client(good)) {
      assertEquals(Label.LABEL_POSITIVE, client.analyze("I love it").getSentiment().getLabel());
    }
  }

  @Test
  void tellsTheRefusalsOfKeysApart() {
    SentimentException missing = refused(null);
    assertEquals(Code.UNAUTHENTICATED, missing.code());
    assertEquals(Reason.KEY_MISSING, missing.reason());
    assertEquals(Reason.KEY_UNKNOWN, refused(good + "x").reason());
    SentimentException notAllowed = refused(admin);
    assertEquals(Code.PERMISSION_DENIED, notAllowed.code());
    assertEquals(Reason.NOT_ALLOWED, notAllowed.reason());
  }

  @Test
  void failsHelpersAtOnceForAWrongKey() {
    try (SentimentClient client = client(good + "x")) {
      for (Stream<Outcome> outcomes :
          List.of(client.analyzeAll(List.of("a")), client.analyzeStream(List.of("a")))) {
        SentimentException error = assertThrows(SentimentException.class, outcomes::toList);
        assertEquals(Reason.KEY_UNKNOWN, error.reason());
      }
    }
  }

  @Test
  void refusesAKeyThatIsNoneWithoutRepeatingIt() {
    for (String key : List.of("", "two words", "line\nfeed", "schlüssel")) {
      IllegalArgumentException error =
          assertThrows(IllegalArgumentException.class, () -> SentimentClient.builder().apiKey(key));
      assertFalse(!key.isEmpty() && error.getMessage().contains(key));
    }
  }

  @Test
  void saysWhenAQuotaLetsInAgain() {
    try (SentimentClient client = client(poor)) {
      SentimentException error =
          assertThrows(
              SentimentException.class,
              () -> {
                for (int i = 0; i < 60; i++) client.analyze("a text of some words, number " + i);
              });
      assertEquals(Code.RESOURCE_EXHAUSTED, error.code());
      assertEquals(Reason.RATE_LIMITED, error.reason());
      Duration wait = error.retryAfter().orElseThrow();
      assertTrue(wait.compareTo(Duration.ZERO) > 0, wait::toString);
      assertTrue(wait.compareTo(Duration.ofMinutes(2)) < 0, wait::toString);
    }
  }
}
