package dev.sentiment.client;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ThreadLocalRandom;
import java.util.regex.Pattern;

/** The built server, with its real models, as a process of its own. */
final class RealServer implements AutoCloseable {
  static final Path ROOT = Path.of(System.getProperty("repository.root"));

  private static final Pattern ADDRESS = Pattern.compile("\"address\":\"([^\"]+)");
  private static final Pattern OPS = Pattern.compile("\"opsAddress\":\"([^\"]+)");
  private static final Map<String, String> DEFAULTS =
      Map.of(
          "GRPC_PORT", "0",
          "HTTP_PORT", "0",
          "PREFETCH_MODELS", "false",
          "DEFAULT_TIER", "fast",
          "WARM_UP_FILE", "/dev/null",
          "MAX_WORKERS", "2");

  final String address;
  private final String opsAddress;
  private final Process process;

  private RealServer(Process process, String log) {
    this.process = process;
    this.address = said(ADDRESS, log).orElseThrow();
    this.opsAddress = said(OPS, log).orElseThrow();
  }

  static RealServer start() {
    return start(Map.of());
  }

  static RealServer start(int port) {
    return start(Map.of("GRPC_PORT", Integer.toString(port)));
  }

  static RealServer start(Map<String, String> settings) {
    try {
      Path log = Files.createTempFile("sentiment-server", ".log");
      ProcessBuilder builder = new ProcessBuilder("node", "dist/server/main.js");
      builder.environment().putAll(DEFAULTS);
      builder.environment().putAll(settings);
      Process process =
          builder
              .directory(ROOT.toFile())
              .redirectErrorStream(true)
              .redirectOutput(log.toFile())
              .start();
      return new RealServer(process, logOnceReady(process, log));
    } catch (IOException error) {
      throw new UncheckedIOException(error);
    }
  }

  private static String logOnceReady(Process process, Path log) throws IOException {
    while (process.isAlive()) {
      String written = Files.readString(log);
      if (said(ADDRESS, written).isPresent()) {
        Files.delete(log);
        return written;
      }
      Waiting.pause(50);
    }
    throw new IllegalStateException("the server ended: " + Files.readString(log));
  }

  private static Optional<String> said(Pattern what, String log) {
    return what.matcher(log).results().map(match -> match.group(1)).findFirst();
  }

  /** Of /metrics, added up over its labels. */
  double metric(String name) {
    try (InputStream page = URI.create("http://" + opsAddress + "/metrics").toURL().openStream()) {
      return new String(page.readAllBytes(), StandardCharsets.UTF_8)
          .lines()
          .filter(line -> line.startsWith(name + "{") || line.startsWith(name + " "))
          .mapToDouble(line -> Double.parseDouble(line.substring(line.lastIndexOf(' '))))
          .sum();
    } catch (IOException error) {
      throw new UncheckedIOException(error);
    }
  }

  /** Below those that the kernel gives to outgoing connections. */
  static int freePort() {
    while (true) {
      int port = ThreadLocalRandom.current().nextInt(20_000, 32_768);
      try (ServerSocket probe = new ServerSocket(port, 1, InetAddress.getLoopbackAddress())) {
        return probe.getLocalPort();
      } catch (IOException taken) {
        // Another one, then.
      }
    }
  }

  /** Runs a command in the repository and returns what it writes. */
  static String run(Map<String, String> environment, String... command) {
    try {
      ProcessBuilder builder = new ProcessBuilder(command);
      builder.environment().putAll(new HashMap<>(environment));
      Path errors = Files.createTempFile("command", ".err");
      Process process = builder.directory(ROOT.toFile()).redirectError(errors.toFile()).start();
      process.getOutputStream().close();
      String output = new String(process.getInputStream().readAllBytes());
      if (process.waitFor() != 0) throw new IllegalStateException(Files.readString(errors));
      Files.delete(errors);
      return output;
    } catch (IOException error) {
      throw new UncheckedIOException(error);
    } catch (InterruptedException error) {
      throw new IllegalStateException(error);
    }
  }

  /** As by SIGKILL. */
  void kill() {
    process.destroyForcibly();
    process.onExit().join();
  }

  /** As by SIGTERM: it drains. */
  void drain() {
    process.destroy();
    process.onExit().join();
  }

  /** A second signal ends a drain. */
  @Override
  public void close() {
    process.destroy();
    Waiting.pause(100);
    kill();
  }
}
