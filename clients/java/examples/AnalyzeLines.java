import dev.sentiment.client.AnalyzeParams;
import dev.sentiment.client.BatchSettings;
import dev.sentiment.client.Outcome;
import dev.sentiment.client.SentimentClient;
import dev.sentiment.client.SentimentClientBuilder;
import dev.sentiment.client.SentimentException;
import dev.sentiment.client.StreamSettings;
import dev.sentiment.v1.Sentiment;
import dev.sentiment.v1.Tier;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.Reader;
import java.io.UncheckedIOException;
import java.math.BigDecimal;
import java.math.MathContext;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Iterator;
import java.util.Locale;
import java.util.Map;
import java.util.NoSuchElementException;
import java.util.stream.Stream;

/** Reads texts, one a line, and writes a line of JSON for each, in their order. */
public final class AnalyzeLines {
  private static final String USAGE =
      "usage: AnalyzeLines [--address HOST:PORT] [--tier fast|balanced|accurate|auto]"
          + " [--mode batch|stream] [FILE]; the key is SENTIMENT_API_KEY";

  public static void main(String[] args) throws IOException {
    Map<String, String> arguments = parse(args);
    try (SentimentClient client = connect(arguments);
        Reader input = open(arguments.get("file"));
        Stream<Outcome> outcomes = ask(client, new Lines(input), arguments)) {
      outcomes.map(AnalyzeLines::json).forEach(System.out::println);
    } catch (SentimentException | IllegalArgumentException error) {
      System.err.println(error);
      System.exit(1);
    }
  }

  private static Map<String, String> parse(String[] args) {
    Map<String, String> arguments = new HashMap<>(Map.of("mode", "stream"));
    for (int i = 0; i < args.length; i++) {
      if (!args[i].startsWith("--")) arguments.put("file", args[i]);
      else if (i + 1 < args.length) arguments.put(args[i].substring(2), args[++i]);
      else throw new IllegalArgumentException(USAGE);
    }
    return arguments;
  }

  private static SentimentClient connect(Map<String, String> arguments) {
    SentimentClientBuilder builder = SentimentClient.builder();
    if (arguments.containsKey("address")) builder.address(arguments.get("address"));
    String key = System.getenv("SENTIMENT_API_KEY");
    if (key != null) builder.apiKey(key);
    return builder.build();
  }

  private static Reader open(String file) throws IOException {
    return file == null
        ? new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8))
        : Files.newBufferedReader(Path.of(file));
  }

  private static Stream<Outcome> ask(
      SentimentClient client, Iterator<String> texts, Map<String, String> arguments) {
    AnalyzeParams params = AnalyzeParams.DEFAULT;
    String tier = arguments.get("tier");
    if (tier != null) {
      params = params.withTier(Tier.valueOf("TIER_" + tier.toUpperCase(Locale.ROOT)));
    }
    return arguments.get("mode").equals("batch")
        ? client.analyzeAll(() -> texts, params, BatchSettings.DEFAULT)
        : client.analyzeStream(() -> texts, params, StreamSettings.DEFAULT);
  }

  private static String json(Outcome outcome) {
    if (outcome instanceof Outcome.Failure failure) {
      return "{\"index\":%d,\"error\":\"%s\"}".formatted(failure.index(), failure.error().reason());
    }
    Sentiment sentiment = outcome.sentiment();
    return "{\"index\":%d,\"label\":\"%s\",\"score\":%s,\"confidence\":%s,\"token_count\":%d}"
        .formatted(
            outcome.index(),
            sentiment.getLabel(),
            exact(sentiment.getScore()),
            exact(sentiment.getConfidence()),
            sentiment.getTokenCount());
  }

  /** With nine digits a float is read back as it was. */
  private static BigDecimal exact(float number) {
    return new BigDecimal(number).round(new MathContext(9));
  }

  /** Cut at line feeds alone: all else belongs to the text. */
  private static final class Lines implements Iterator<String> {
    private static final int END = -1;
    private static final int UNREAD = -2;

    private final Reader input;
    private int next = UNREAD;

    Lines(Reader input) {
      this.input = input;
    }

    @Override
    public boolean hasNext() {
      if (next == UNREAD) next = read();
      return next != END;
    }

    @Override
    public String next() {
      if (!hasNext()) throw new NoSuchElementException();
      StringBuilder line = new StringBuilder();
      for (; next != END && next != '\n'; next = read()) line.append((char) next);
      if (next == '\n') next = UNREAD;
      return line.toString();
    }

    private int read() {
      try {
        return input.read();
      } catch (IOException error) {
        throw new UncheckedIOException(error);
      }
    }
  }
}
