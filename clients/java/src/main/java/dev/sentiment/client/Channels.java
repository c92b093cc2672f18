package dev.sentiment.client;

import static java.util.concurrent.TimeUnit.NANOSECONDS;

import io.grpc.ChannelCredentials;
import io.grpc.Grpc;
import io.grpc.InsecureChannelCredentials;
import io.grpc.ManagedChannel;
import io.grpc.TlsChannelCredentials;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.List;
import java.util.Map;

/** The connections to a server. */
final class Channels {
  private static final Map<String, ?> SERVICE_CONFIG =
      Map.of("loadBalancingConfig", List.of(Map.of("round_robin", Map.of())));

  private Channels() {}

  static ManagedChannel open(SentimentClientBuilder settings) {
    return Grpc.newChannelBuilder(settings.address, credentials(settings))
        .defaultServiceConfig(SERVICE_CONFIG)
        // See Retries.
        .disableRetry()
        .keepAliveTime(settings.keepAliveTime.toNanos(), NANOSECONDS)
        .keepAliveTimeout(settings.keepAliveTimeout.toNanos(), NANOSECONDS)
        .maxInboundMessageSize(settings.maxAnswerBytes)
        .build();
  }

  private static ChannelCredentials credentials(SentimentClientBuilder settings) {
    if (!settings.tls) return InsecureChannelCredentials.create();
    TlsChannelCredentials.Builder tls = TlsChannelCredentials.newBuilder();
    try {
      if (settings.authorities != null) tls.trustManager(settings.authorities.toFile());
      if (settings.certificate != null) {
        tls.keyManager(settings.certificate.toFile(), settings.privateKey.toFile());
      }
    } catch (IOException error) {
      throw new UncheckedIOException(error);
    }
    return tls.build();
  }
}
