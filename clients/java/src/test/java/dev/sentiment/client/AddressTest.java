package dev.sentiment.client;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.Map;
import org.junit.jupiter.api.Test;

/** Whom a client asks that was not told whom. */
class AddressTest {
  private static String addressWith(Map<String, String> environment) {
    return SentimentClientBuilder.defaultAddress(environment);
  }

  @Test
  void anEmptyAddressIsNone() {
    assertEquals("there:1", addressWith(Map.of("SENTIMENT_ADDRESS", "there:1")));
    assertEquals("127.0.0.1:50051", addressWith(Map.of("SENTIMENT_ADDRESS", "")));
    assertEquals("127.0.0.1:50051", addressWith(Map.of()));
  }
}
