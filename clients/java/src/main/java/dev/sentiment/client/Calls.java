package dev.sentiment.client;

import static java.util.concurrent.TimeUnit.NANOSECONDS;

import dev.sentiment.v1.AnalyzeBatchRequest;
import dev.sentiment.v1.AnalyzeBatchResponse;
import dev.sentiment.v1.AnalyzeRequest;
import dev.sentiment.v1.AnalyzeResponse;
import dev.sentiment.v1.AnalyzeResult;
import dev.sentiment.v1.ListModelsRequest;
import dev.sentiment.v1.ListModelsResponse;
import dev.sentiment.v1.Model;
import dev.sentiment.v1.SentimentServiceGrpc;
import dev.sentiment.v1.SentimentServiceGrpc.SentimentServiceStub;
import io.grpc.ClientInterceptor;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.stub.MetadataUtils;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.stream.IntStream;

/** The server's calls, with the client's key and deadline and the caller's trace. */
final class Calls {
  private static final Metadata.Key<String> AUTHORIZATION =
      Metadata.Key.of("authorization", Metadata.ASCII_STRING_MARSHALLER);

  private final ManagedChannel channel;
  private final Retries retries = new Retries();
  private final SentimentServiceStub stub;
  private final Duration deadline;
  private final Supplier<Map<String, String>> traceContext;

  Calls(ManagedChannel channel, SentimentClientBuilder settings) {
    this.channel = channel;
    this.deadline = settings.deadline;
    this.traceContext = settings.traceContext;
    this.stub =
        SentimentServiceGrpc.newStub(channel)
            .withInterceptors(key(settings.apiKey))
            .withInterceptors(settings.interceptors.toArray(ClientInterceptor[]::new));
  }

  private static ClientInterceptor key(String key) {
    Metadata headers = new Metadata();
    if (key != null) headers.put(AUTHORIZATION, "Bearer " + key);
    return MetadataUtils.newAttachHeadersInterceptor(headers);
  }

  Caller caller() {
    return Caller.current(traceContext.get());
  }

  CompletableFuture<AnalyzeResponse> analyze(String text, AnalyzeParams params) {
    SentimentServiceStub bounded = bounded(caller(), params);
    AnalyzeRequest request = params.request(text);
    return new Answer<AnalyzeResponse, AnalyzeResponse>(
            answer -> bounded.analyze(request, answer),
            Function.identity(),
            bounded.getCallOptions().getDeadline(),
            retries)
        .ask();
  }

  CompletableFuture<List<Outcome>> analyzeBatch(List<String> texts, AnalyzeParams params) {
    return analyzeBatch(caller(), List.copyOf(texts), params, retries);
  }

  /** By one try; one outcome a text, or none at all. */
  CompletableFuture<List<Outcome>> tryBatch(
      Caller caller, List<String> texts, AnalyzeParams params) {
    return analyzeBatch(caller, texts, params, null);
  }

  private CompletableFuture<List<Outcome>> analyzeBatch(
      Caller caller, List<String> texts, AnalyzeParams params, Retries retries) {
    SentimentServiceStub bounded = bounded(caller, params);
    AnalyzeBatchRequest request = params.request(texts);
    return new Answer<AnalyzeBatchResponse, List<Outcome>>(
            answer -> bounded.analyzeBatch(request, answer),
            response -> outcomes(texts, response),
            bounded.getCallOptions().getDeadline(),
            retries)
        .ask();
  }

  CompletableFuture<List<Model>> models() {
    SentimentServiceStub bounded = bounded(caller(), AnalyzeParams.DEFAULT);
    return new Answer<ListModelsResponse, List<Model>>(
            answer -> bounded.listModels(ListModelsRequest.getDefaultInstance(), answer),
            ListModelsResponse::getModelsList,
            bounded.getCallOptions().getDeadline(),
            retries)
        .ask();
  }

  /** For a stream: without a deadline. */
  SentimentServiceStub unbounded(Caller caller) {
    return caller.traced(stub);
  }

  private SentimentServiceStub bounded(Caller caller, AnalyzeParams params) {
    Duration limit = params.deadline() == null ? deadline : params.deadline();
    return caller.traced(stub).withDeadlineAfter(limit.toNanos(), NANOSECONDS);
  }

  /**
   * Else gRPC waits for up to two minutes before it tries again to connect to a server that was
   * long away.
   */
  void connectNow() {
    channel.resetConnectBackoff();
  }

  boolean isClosed() {
    return channel.isShutdown();
  }

  void close() {
    channel.shutdownNow();
    retries.close();
  }

  private static List<Outcome> outcomes(List<String> texts, AnalyzeBatchResponse response) {
    List<AnalyzeResult> results = response.getResultsList();
    if (results.size() != texts.size()) {
      throw new IllegalStateException(results.size() + " results for " + texts.size() + " texts");
    }
    return IntStream.range(0, texts.size())
        .mapToObj(index -> outcome(index, texts.get(index), results.get(index)))
        .toList();
  }

  private static Outcome outcome(int index, String text, AnalyzeResult result) {
    return result.hasSentiment()
        ? new Outcome.Success(index, text, result.getSentiment())
        : new Outcome.Failure(index, text, SentimentException.of(result.getError()));
  }
}
