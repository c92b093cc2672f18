package dev.sentiment.client;

import dev.sentiment.v1.AnalyzeResponse;
import dev.sentiment.v1.Model;
import io.grpc.Status;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.stream.Stream;

/**
 * Asks a sentiment server. Thread-safe, and one is enough for a program: its calls share one
 * channel, which connects at the first call.
 *
 * <p>What fails throws {@link SentimentException}; futures complete with it, and cancelling one
 * cancels its call. Single calls are tried up to five times where the server is UNAVAILABLE. A text
 * with unpaired surrogates is sent with {@code ?} in their places.
 */
public final class SentimentClient implements AutoCloseable {
  private final Calls calls;
  private final Set<Asking> askings = ConcurrentHashMap.newKeySet();

  SentimentClient(Calls calls) {
    this.calls = calls;
  }

  /** A client of that server with the defaults of {@link #builder}. */
  public static SentimentClient connect(String address) {
    return builder().address(address).build();
  }

  public static SentimentClientBuilder builder() {
    return new SentimentClientBuilder();
  }

  public AnalyzeResponse analyze(String text) {
    return analyze(text, AnalyzeParams.DEFAULT);
  }

  public AnalyzeResponse analyze(String text, AnalyzeParams params) {
    return await(analyzeAsync(text, params));
  }

  public CompletableFuture<AnalyzeResponse> analyzeAsync(String text) {
    return analyzeAsync(text, AnalyzeParams.DEFAULT);
  }

  public CompletableFuture<AnalyzeResponse> analyzeAsync(String text, AnalyzeParams params) {
    return calls.analyze(text, params);
  }

  /**
   * One outcome a text, in their order; up to 100 texts (the server's MAX_BATCH_SIZE). A bad text
   * fails alone.
   */
  public List<Outcome> analyzeBatch(List<String> texts) {
    return analyzeBatch(texts, AnalyzeParams.DEFAULT);
  }

  /** As {@link #analyzeBatch(List)}. */
  public List<Outcome> analyzeBatch(List<String> texts, AnalyzeParams params) {
    return await(analyzeBatchAsync(texts, params));
  }

  /** As {@link #analyzeBatch(List)}. */
  public CompletableFuture<List<Outcome>> analyzeBatchAsync(List<String> texts) {
    return analyzeBatchAsync(texts, AnalyzeParams.DEFAULT);
  }

  /** As {@link #analyzeBatch(List)}. */
  public CompletableFuture<List<Outcome>> analyzeBatchAsync(
      List<String> texts, AnalyzeParams params) {
    return calls.analyzeBatch(texts, params);
  }

  /** The models that are served, fast first. */
  public List<Model> models() {
    return await(modelsAsync());
  }

  /** As {@link #models()}. */
  public CompletableFuture<List<Model>> modelsAsync() {
    return calls.models();
  }

  /** As {@link #analyzeAll(Iterable, AnalyzeParams, BatchSettings)} with the defaults. */
  public Stream<Outcome> analyzeAll(Iterable<String> texts) {
    return analyzeAll(texts, AnalyzeParams.DEFAULT, BatchSettings.DEFAULT);
  }

  /**
   * Outcomes of the texts, in their order, as they come: by calls of AnalyzeBatch, several at once.
   * The texts may be without end. A thread reads them ahead of the outcomes, by twice what the
   * calls under way hold at most. A call that is not full is made where no other is under way, so a
   * slow source waits for no neighbours.
   *
   * <p>What is refused for now (UNAVAILABLE, RESOURCE_EXHAUSTED) is asked again after the time that
   * the server says, else after 0.1 to 5 s; so is a call without an answer within its deadline. The
   * stream throws {@link SentimentException} after {@code giveUpAfter} without any answer and for
   * what concerns all texts, such as a wrong key; and what the iterable throws, each after the
   * outcomes before it.
   *
   * <p>Close the stream where you may stop before its end: that cancels what is under way. Nothing
   * is read or asked before its first outcome is wanted.
   */
  public Stream<Outcome> analyzeAll(
      Iterable<String> texts, AnalyzeParams params, BatchSettings settings) {
    return new BatchAsking(calls, params, settings, askings).outcomes(texts);
  }

  /** As {@link #analyzeStream(Iterable, AnalyzeParams, StreamSettings)} with the defaults. */
  public Stream<Outcome> analyzeStream(Iterable<String> texts) {
    return analyzeStream(texts, AnalyzeParams.DEFAULT, StreamSettings.DEFAULT);
  }

  /**
   * As {@link #analyzeAll(Iterable, AnalyzeParams, BatchSettings)}, by one AnalyzeStream: the
   * quickest way for many texts. A stream that breaks is opened anew, and only what it has not
   * answered is asked again. It has no deadline of its own: the server bounds the time of each
   * text.
   */
  public Stream<Outcome> analyzeStream(
      Iterable<String> texts, AnalyzeParams params, StreamSettings settings) {
    return new StreamAsking(calls, params, settings, askings).outcomes(texts);
  }

  /**
   * Ends what is under way: calls and streams of outcomes then throw. May be called more than once.
   */
  @Override
  public void close() {
    askings.forEach(Asking::close);
    calls.close();
  }

  private static <R> R await(CompletableFuture<R> answer) {
    try {
      return answer.get();
    } catch (ExecutionException error) {
      throw SentimentException.of(error.getCause()).thrownHere();
    } catch (InterruptedException error) {
      answer.cancel(true);
      Thread.currentThread().interrupt();
      throw new SentimentException(Status.Code.CANCELLED, "the thread was interrupted", error);
    }
  }
}
