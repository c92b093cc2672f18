package dev.sentiment.client;

import dev.sentiment.v1.AnalyzeStreamRequest;
import dev.sentiment.v1.AnalyzeStreamResponse;
import io.grpc.Status.Code;
import io.grpc.stub.ClientCallStreamObserver;
import io.grpc.stub.ClientResponseObserver;
import java.util.Collection;
import java.util.Collections;
import java.util.Comparator;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;

/** Asks by an AnalyzeStream, or several one after the other where streams break. */
final class StreamAsking extends Asking {
  /** null: none is open. */
  private Exchange exchange;

  StreamAsking(Calls calls, AnalyzeParams params, StreamSettings settings, Set<Asking> open) {
    super(
        calls,
        params,
        settings.maxUnderWay(),
        settings.maxUnderWay(),
        settings.giveUpAfter(),
        open);
  }

  @Override
  boolean askSome(int most) {
    if (window.waiting() == 0) {
      if (window.isComplete() && window.allAnswered()) finish();
      return false;
    }
    if (exchange == null) {
      exchange = new Exchange();
      // Says when it is ready.
      calls.unbounded(caller).analyzeStream(exchange);
      return false;
    }
    return most > 0 && exchange.askNext();
  }

  /**
   * A stream without a deadline of ours is past one when nothing was sent on it for long: the next
   * text opens another.
   */
  @Override
  boolean isPassing(SentimentException error) {
    return super.isPassing(error) || error.code() == Code.DEADLINE_EXCEEDED;
  }

  /** Each text is a message of its own. */
  @Override
  void tooLarge(Collection<Question> underWay, SentimentException error) {
    if (underWay.isEmpty()) return;
    Question largest = Collections.max(underWay, Comparator.comparingInt(one -> one.text.length()));
    isTooLarge(largest, error);
    window.putBack(underWay.stream().filter(one -> one != largest).toList());
  }

  private void finish() {
    Exchange done = exchange;
    exchange = null;
    if (done != null) done.call.onCompleted();
  }

  @Override
  void cancel() {
    Exchange left = exchange;
    exchange = null;
    if (left != null) left.call.cancel("no more outcomes are wanted", null);
  }

  /**
   * One stream. Its answers need no flow control of their own: no more can come than texts are in
   * the window. Events of a stream that is not the open one any more are too late.
   */
  private final class Exchange
      implements ClientResponseObserver<AnalyzeStreamRequest, AnalyzeStreamResponse> {
    private final Map<String, Question> underWay = new HashMap<>();
    private ClientCallStreamObserver<AnalyzeStreamRequest> call;

    @Override
    public void beforeStart(ClientCallStreamObserver<AnalyzeStreamRequest> call) {
      this.call = call;
      call.setOnReadyHandler(() -> locked(() -> {}));
    }

    /** False while gRPC has as much to send as it should. */
    boolean askNext() {
      if (!call.isReady()) return false;
      Question question = window.takeWaiting();
      String id = Long.toString(question.index);
      underWay.put(id, question);
      call.onNext(params.request(id, question.text));
      return true;
    }

    @Override
    public void onNext(AnalyzeStreamResponse response) {
      locked(() -> take(response));
    }

    private void take(AnalyzeStreamResponse response) {
      Question question = exchange == this ? underWay.remove(response.getId()) : null;
      if (question == null) return;
      if (response.hasSentiment()) answered(question, response.getSentiment());
      else failed(question, SentimentException.of(response.getError()));
    }

    @Override
    public void onError(Throwable error) {
      locked(() -> ended(SentimentException.of(error)));
    }

    @Override
    public void onCompleted() {
      String message = "the server ended the stream before it had answered all";
      locked(() -> ended(new SentimentException(Code.UNAVAILABLE, message, null)));
    }

    private void ended(SentimentException error) {
      if (exchange != this) return;
      exchange = null;
      lost(underWay.values(), error);
    }
  }
}
