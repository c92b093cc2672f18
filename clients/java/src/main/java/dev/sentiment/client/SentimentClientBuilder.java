package dev.sentiment.client;

import static java.util.Objects.requireNonNull;

import io.grpc.ClientInterceptor;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;

/** How to reach a server, and as whom. */
public final class SentimentClientBuilder {
  String address = defaultAddress(System.getenv());
  String apiKey;
  boolean tls;
  Path authorities;
  Path certificate;
  Path privateKey;
  Duration deadline = Duration.ofSeconds(30);
  Duration keepAliveTime = Duration.ofSeconds(30);
  Duration keepAliveTimeout = Duration.ofSeconds(10);
  int maxAnswerBytes = 64 << 20;
  Supplier<Map<String, String>> traceContext = TraceContext.ofOpenTelemetry();
  final List<ClientInterceptor> interceptors = new ArrayList<>();

  SentimentClientBuilder() {}

  static String defaultAddress(Map<String, String> environment) {
    String address = environment.getOrDefault("SENTIMENT_ADDRESS", "");
    return address.isEmpty() ? "127.0.0.1:50051" : address;
  }

  /**
   * As gRPC's targets: {@code host:port}, {@code dns:///name:port}; calls go to all addresses of a
   * name in turn. Default: the environment's SENTIMENT_ADDRESS, else, or where that is empty,
   * 127.0.0.1:50051.
   */
  public SentimentClientBuilder address(String address) {
    this.address = requireNonNull(address);
    return this;
  }

  /**
   * Goes along as {@code authorization: Bearer}; without TLS it travels readable. Default: none.
   *
   * @throws IllegalArgumentException for characters that no key or token has
   */
  public SentimentClientBuilder apiKey(String key) {
    if (!key.matches("[\\x21-\\x7e]+")) {
      throw new IllegalArgumentException("the API key must be printable ASCII without white space");
    }
    this.apiKey = key;
    return this;
  }

  /** TLS, with the authorities that Java trusts. Default: no TLS. */
  public SentimentClientBuilder tls() {
    this.tls = true;
    return this;
  }

  /** TLS, with the authorities in that PEM file alone. */
  public SentimentClientBuilder tls(Path authorities) {
    this.authorities = requireNonNull(authorities);
    return tls();
  }

  /**
   * Mutual TLS: PEM files of the client's certificate (and those that it was signed with), and of
   * its key in PKCS #8.
   */
  public SentimentClientBuilder clientCertificate(Path certificate, Path privateKey) {
    this.certificate = requireNonNull(certificate);
    this.privateKey = requireNonNull(privateKey);
    return tls();
  }

  /** Of each call that names none of its own; a stream has none. Default: 30 s. */
  public SentimentClientBuilder deadline(Duration deadline) {
    this.deadline = requireNonNull(deadline);
    return this;
  }

  /**
   * While calls are under way the server is pinged each {@code time}, and the connection is given
   * up when it does not answer within {@code timeout}. Default: 30 s, 10 s.
   */
  public SentimentClientBuilder keepAlive(Duration time, Duration timeout) {
    this.keepAliveTime = requireNonNull(time);
    this.keepAliveTimeout = requireNonNull(timeout);
    return this;
  }

  /**
   * The largest answer that is taken. Default: 64 MiB, more than a batch of 100 explained texts
   * needs.
   */
  public SentimentClientBuilder maxAnswerBytes(int bytes) {
    this.maxAnswerBytes = bytes;
    return this;
  }

  /**
   * Asked for metadata to send along, in the thread that calls the client. Default: traceparent and
   * tracestate of the current OpenTelemetry context, where its API is on the class path; {@code
   * Map::of} sends none.
   */
  public SentimentClientBuilder traceContext(Supplier<Map<String, String>> traceContext) {
    this.traceContext = requireNonNull(traceContext);
    return this;
  }

  /** Sees each try of each call; the one added last sees it first. */
  public SentimentClientBuilder interceptor(ClientInterceptor interceptor) {
    this.interceptors.add(requireNonNull(interceptor));
    return this;
  }

  /**
   * Connects at the first call.
   *
   * @throws java.io.UncheckedIOException for a PEM file that cannot be read
   */
  public SentimentClient build() {
    return new SentimentClient(new Calls(Channels.open(this), this));
  }
}
