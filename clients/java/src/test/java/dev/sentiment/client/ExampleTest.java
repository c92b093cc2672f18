package dev.sentiment.client;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The example, as a program of its own and without OpenTelemetry. */
class ExampleTest {
  @TempDir static Path folder;

  @Test
  void writesALineOfJsonForEachText() throws IOException {
    Path input = folder.resolve("texts");
    Files.writeString(input, "I love it\n\nKaputt \u2013 \ud83d\ude21\r\nno line feed at the end");
    String classPath =
        Arrays.stream(System.getProperty("java.class.path").split(File.pathSeparator))
            .filter(part -> !part.contains("opentelemetry"))
            .collect(Collectors.joining(File.pathSeparator));
    try (RealServer server = RealServer.start();
        SentimentClient client = SentimentClient.connect(server.address)) {
      float score = client.analyze("I love it").getSentiment().getScore();
      for (String mode : List.of("batch", "stream")) {
        String output =
            RealServer.run(
                Map.of(),
                "java",
                "-cp",
                classPath,
                "AnalyzeLines",
                "--address",
                server.address,
                "--tier",
                "fast",
                "--mode",
                mode,
                input.toString());
        List<String> lines = output.lines().toList();
        assertEquals(4, lines.size(), output);
        String first = lines.get(0);
        assertTrue(first.startsWith("{\"index\":0,\"label\":\"LABEL_POSITIVE\",\"score\":"), first);
        String written = first.replaceAll(".*\"score\":([^,]+),.*", "$1");
        assertEquals(score, Float.parseFloat(written));
        assertTrue(first.endsWith(",\"token_count\":3}"), first);
        assertEquals("{\"index\":1,\"error\":\"TEXT_EMPTY\"}", lines.get(1));
        assertTrue(lines.get(3).startsWith("{\"index\":3,\"label\":"), lines.get(3));
      }
    }
  }
}
