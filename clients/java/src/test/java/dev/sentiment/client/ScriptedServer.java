package dev.sentiment.client;

import com.google.protobuf.Any;
import com.google.rpc.ErrorInfo;
import com.google.rpc.RetryInfo;
import dev.sentiment.v1.AnalyzeBatchRequest;
import dev.sentiment.v1.AnalyzeBatchResponse;
import dev.sentiment.v1.AnalyzeRequest;
import dev.sentiment.v1.AnalyzeResponse;
import dev.sentiment.v1.AnalyzeResult;
import dev.sentiment.v1.AnalyzeStreamRequest;
import dev.sentiment.v1.AnalyzeStreamResponse;
import dev.sentiment.v1.Label;
import dev.sentiment.v1.ListModelsRequest;
import dev.sentiment.v1.ListModelsResponse;
import dev.sentiment.v1.Sentiment;
import dev.sentiment.v1.SentimentServiceGrpc.SentimentServiceImplBase;
import io.grpc.Metadata;
import io.grpc.Server;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import io.grpc.Status.Code;
import io.grpc.StatusRuntimeException;
import io.grpc.netty.shaded.io.grpc.netty.NettyServerBuilder;
import io.grpc.protobuf.StatusProto;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BiConsumer;
import java.util.function.Function;

/** A gRPC server of this process that answers as a test says, and remembers what it was sent. */
final class ScriptedServer extends SentimentServiceImplBase implements AutoCloseable {
  static final Metadata.Key<String> PUSHBACK =
      Metadata.Key.of("grpc-retry-pushback-ms", Metadata.ASCII_STRING_MARSHALLER);

  final Queue<Metadata> headers = new ConcurrentLinkedQueue<>();
  final Queue<List<String>> batches = new ConcurrentLinkedQueue<>();
  final Queue<String> streamed = new ConcurrentLinkedQueue<>();
  final AtomicInteger cancelled = new AtomicInteger();

  /** Each answers well unless a test says otherwise. */
  volatile BiConsumer<AnalyzeRequest, StreamObserver<AnalyzeResponse>> analyze =
      (request, answer) -> {
        answer.onNext(AnalyzeResponse.newBuilder().setSentiment(sentiment()).build());
        answer.onCompleted();
      };

  volatile BiConsumer<AnalyzeBatchRequest, StreamObserver<AnalyzeBatchResponse>> batch =
      (request, answer) -> {
        answer.onNext(wellAnswered(request));
        answer.onCompleted();
      };

  volatile BiConsumer<AnalyzeStreamRequest, StreamObserver<AnalyzeStreamResponse>> stream =
      (request, answer) -> answer.onNext(wellAnswered(request));

  private final Server server;

  ScriptedServer() {
    InetSocketAddress loopback = new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);
    server =
        NettyServerBuilder.forAddress(loopback).addService(this).intercept(new Recorder()).build();
    try {
      server.start();
    } catch (IOException error) {
      throw new UncheckedIOException(error);
    }
  }

  String address() {
    return "127.0.0.1:" + server.getPort();
  }

  SentimentClient client() {
    return SentimentClient.connect(address());
  }

  static Sentiment sentiment() {
    return Sentiment.newBuilder().setLabel(Label.LABEL_NEUTRAL).build();
  }

  static AnalyzeBatchResponse wellAnswered(AnalyzeBatchRequest request) {
    AnalyzeBatchResponse.Builder response = AnalyzeBatchResponse.newBuilder();
    for (int i = 0; i < request.getTextsCount(); i++) {
      response.addResults(AnalyzeResult.newBuilder().setIndex(i).setSentiment(sentiment()));
    }
    return response.build();
  }

  static AnalyzeStreamResponse wellAnswered(AnalyzeStreamRequest request) {
    return AnalyzeStreamResponse.newBuilder()
        .setId(request.getId())
        .setSentiment(sentiment())
        .build();
  }

  /** As the server would say it; {@code retryAfter} may be null. */
  static com.google.rpc.Status status(Code code, String reason, Duration retryAfter) {
    ErrorInfo info = ErrorInfo.newBuilder().setReason(reason).setDomain("sentiment.v1").build();
    com.google.rpc.Status.Builder status =
        com.google.rpc.Status.newBuilder()
            .setCode(code.value())
            .setMessage("so the test says")
            .addDetails(Any.pack(info));
    if (retryAfter != null) {
      com.google.protobuf.Duration delay =
          com.google.protobuf.Duration.newBuilder()
              .setSeconds(retryAfter.getSeconds())
              .setNanos(retryAfter.getNano())
              .build();
      status.addDetails(Any.pack(RetryInfo.newBuilder().setRetryDelay(delay).build()));
    }
    return status.build();
  }

  static StatusRuntimeException error(Code code, String reason, Duration retryAfter) {
    Metadata trailers = new Metadata();
    if (retryAfter != null) trailers.put(PUSHBACK, Long.toString(retryAfter.toMillis()));
    return StatusProto.toStatusRuntimeException(status(code, reason, retryAfter), trailers);
  }

  /** Refuses the first {@code count} calls so, and does the rest after {@code then}. */
  static <Q, R> BiConsumer<Q, StreamObserver<R>> refusing(
      int count,
      Function<Integer, StatusRuntimeException> error,
      BiConsumer<Q, StreamObserver<R>> then) {
    AtomicInteger calls = new AtomicInteger();
    return (request, answer) -> {
      int call = calls.getAndIncrement();
      if (call < count) answer.onError(error.apply(call));
      else then.accept(request, answer);
    };
  }

  @Override
  public void analyze(AnalyzeRequest request, StreamObserver<AnalyzeResponse> answer) {
    countCancel(answer);
    analyze.accept(request, answer);
  }

  @Override
  public void analyzeBatch(
      AnalyzeBatchRequest request, StreamObserver<AnalyzeBatchResponse> answer) {
    countCancel(answer);
    batches.add(List.copyOf(request.getTextsList()));
    batch.accept(request, answer);
  }

  @Override
  public StreamObserver<AnalyzeStreamRequest> analyzeStream(
      StreamObserver<AnalyzeStreamResponse> answer) {
    countCancel(answer);
    StreamObserver<AnalyzeStreamResponse> once = new Once<>(answer);
    return new StreamObserver<>() {
      @Override
      public void onNext(AnalyzeStreamRequest request) {
        streamed.add(request.getText());
        stream.accept(request, once);
      }

      @Override
      public void onError(Throwable error) {}

      @Override
      public void onCompleted() {
        once.onCompleted();
      }
    };
  }

  @Override
  public void listModels(ListModelsRequest request, StreamObserver<ListModelsResponse> answer) {
    answer.onNext(ListModelsResponse.getDefaultInstance());
    answer.onCompleted();
  }

  private void countCancel(StreamObserver<?> answer) {
    ((ServerCallStreamObserver<?>) answer).setOnCancelHandler(cancelled::incrementAndGet);
  }

  @Override
  public void close() {
    server.shutdownNow();
  }

  private final class Recorder implements ServerInterceptor {
    @Override
    public <Q, R> ServerCall.Listener<Q> interceptCall(
        ServerCall<Q, R> call, Metadata sent, ServerCallHandler<Q, R> next) {
      headers.add(sent);
      return next.startCall(call, sent);
    }
  }

  /** Says nothing more once it has ended. */
  private static final class Once<R> implements StreamObserver<R> {
    private final StreamObserver<R> answer;
    private boolean over;

    Once(StreamObserver<R> answer) {
      this.answer = answer;
    }

    @Override
    public void onNext(R response) {
      if (!over) answer.onNext(response);
    }

    @Override
    public void onError(Throwable error) {
      if (!over) answer.onError(error);
      over = true;
    }

    @Override
    public void onCompleted() {
      if (!over) answer.onCompleted();
      over = true;
    }
  }
}
