package dev.sentiment.client;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.sentiment.v1.Label;
import io.grpc.Status.Code;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** TLS and mutual TLS with the real server. */
class TlsTest {
  /** Of an authority, and of a server and a client that it knows. */
  private static final String MAKE_CERTIFICATES =
      """
      set -e
      key='-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes'
      openssl req -x509 $key -days 2 -subj /CN=ca -keyout ca.key -out ca.pem
      for name in server client; do
        openssl req $key -subj /CN=$name -keyout $name.key -out $name.csr
        openssl x509 -req -in $name.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 \\
          -extfile <(echo 'subjectAltName=IP:127.0.0.1') -out $name.pem
      done
      """;

  @TempDir static Path folder;

  @BeforeAll
  static void make() {
    RealServer.run(
        Map.of("FOLDER", folder.toString()), "bash", "-c", "cd $FOLDER\n" + MAKE_CERTIFICATES);
  }

  private static Path file(String name) {
    return folder.resolve(name);
  }

  private static RealServer server(Map<String, String> more) {
    Map<String, String> settings = new HashMap<>(more);
    settings.put("TLS_CERT", file("server.pem").toString());
    settings.put("TLS_KEY", file("server.key").toString());
    return RealServer.start(settings);
  }

  private static SentimentClientBuilder to(RealServer server) {
    return SentimentClient.builder().address(server.address);
  }

  private static void assertAnswered(SentimentClientBuilder builder) {
    try (SentimentClient client = builder.build()) {
      assertEquals(Label.LABEL_POSITIVE, client.analyze("I love it").getSentiment().getLabel());
      assertEquals(2, client.analyzeStream(List.of("a", "b")).toList().size());
    }
  }

  private static void assertNotConnected(SentimentClientBuilder builder) {
    try (SentimentClient client = builder.build()) {
      SentimentException error = assertThrows(SentimentException.class, () -> client.analyze("a"));
      assertEquals(Code.UNAVAILABLE, error.code());
    }
  }

  @Test
  void trustsTheAuthorityThatIsNamedAndNoOther() {
    try (RealServer server = server(Map.of())) {
      assertAnswered(to(server).tls(file("ca.pem")));
      assertNotConnected(to(server).tls());
      assertNotConnected(to(server).tls(file("client.pem")));
      assertNotConnected(to(server));
    }
  }

  @Test
  void showsItsOwnCertificate() {
    try (RealServer server = server(Map.of("TLS_CLIENT_CA", file("ca.pem").toString()))) {
      assertAnswered(
          to(server).tls(file("ca.pem")).clientCertificate(file("client.pem"), file("client.key")));
      assertNotConnected(to(server).tls(file("ca.pem")));
    }
  }

  @Test
  void namesAFileThatCannotBeRead() {
    UncheckedIOException error =
        assertThrows(
            UncheckedIOException.class,
            () -> SentimentClient.builder().tls(file("absent.pem")).build());
    assertTrue(error.getMessage().contains("absent.pem"), error.getMessage());
  }
}
