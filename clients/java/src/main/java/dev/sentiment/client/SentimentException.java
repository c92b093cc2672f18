package dev.sentiment.client;

import com.google.rpc.BadRequest;
import com.google.rpc.ErrorInfo;
import com.google.rpc.RetryInfo;
import io.grpc.Status;
import io.grpc.Status.Code;
import java.io.Serializable;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/** Why a call, or one text of it, got no answer. */
public final class SentimentException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  /** A field of the request that is wrong, as {@code texts[3]}, and what is wrong with it. */
  public record Violation(String field, String description) implements Serializable {}

  private static final Set<Code> REFUSALS = Set.of(Code.UNAVAILABLE, Code.RESOURCE_EXHAUSTED);
  private static final Set<Code> BREAKS = Set.of(Code.CANCELLED, Code.INTERNAL, Code.UNKNOWN);

  private final Code code;
  private final String reason;
  private final Duration retryAfter;
  private final Violation[] violations;

  /** Of this side's making. */
  SentimentException(Code code, String message, Throwable cause) {
    this(code, message, cause, null, null, new Violation[0]);
  }

  private SentimentException(
      Code code,
      String message,
      Throwable cause,
      String reason,
      Duration retryAfter,
      Violation[] violations) {
    super(message, cause);
    this.code = code;
    this.reason = reason;
    this.retryAfter = retryAfter;
    this.violations = violations;
  }

  /** Of a call that failed. */
  static SentimentException of(Throwable error) {
    if (error instanceof SentimentException known) return known;
    Status status = Status.fromThrowable(error);
    String said = status.getDescription();
    String message = said == null ? String.valueOf(error.getMessage()) : said;
    return of(status.getCode(), message, error, Details.of(error));
  }

  /** Of one text. */
  static SentimentException of(com.google.rpc.Status status) {
    Code code = Status.fromCodeValue(status.getCode()).getCode();
    return of(code, status.getMessage(), null, new Details(status.getDetailsList()));
  }

  private static SentimentException of(
      Code code, String message, Throwable cause, Details details) {
    String reason = details.find(ErrorInfo.class).map(ErrorInfo::getReason).orElse(null);
    Duration retryAfter =
        details
            .find(RetryInfo.class)
            .map(info -> info.getRetryDelay())
            .map(delay -> Duration.ofSeconds(delay.getSeconds(), delay.getNanos()))
            .orElse(null);
    Violation[] violations =
        details.find(BadRequest.class).stream()
            .flatMap(bad -> bad.getFieldViolationsList().stream())
            .map(bad -> new Violation(bad.getField(), bad.getDescription()))
            .toArray(Violation[]::new);
    return new SentimentException(code, message, cause, reason, retryAfter, violations);
  }

  /** gRPC's status code. */
  public Code code() {
    return code;
  }

  /** One of {@link Reason} or of a newer server; the name of the code where gRPC itself failed. */
  public String reason() {
    return reason == null ? code.name() : reason;
  }

  /** When another try makes sense, as the server says. */
  public Optional<Duration> retryAfter() {
    return Optional.ofNullable(retryAfter);
  }

  /** What is wrong with the request, field by field. */
  public List<Violation> violations() {
    return List.of(violations);
  }

  /** The same call may be answered later. */
  boolean isRefusal() {
    return REFUSALS.contains(code) && !Reason.METADATA_TOO_LARGE.equals(reason);
  }

  /**
   * A message was over a limit: of gRPC's, of which only the words tell, or of the proxy in front
   * of the server.
   */
  boolean isTooLarge() {
    if (code != Code.RESOURCE_EXHAUSTED) return false;
    if (reason != null) return reason.equals("BODY_TOO_LARGE");
    return getMessage() != null && getMessage().contains("larger than");
  }

  /** It was not the server that said so, but the way to it that broke. */
  boolean isBreak() {
    return reason == null && BREAKS.contains(code);
  }

  /** No answer came in time, and no word of the server's about it. */
  boolean isOverdue() {
    return reason == null && code == Code.DEADLINE_EXCEEDED;
  }

  SentimentException withMessage(String message) {
    return new SentimentException(code, message, this, reason, retryAfter, violations);
  }

  /** With the stack of whoever gets it, not that of gRPC's thread. */
  SentimentException thrownHere() {
    fillInStackTrace();
    return this;
  }

  @Override
  public String toString() {
    return getClass().getName() + ": " + code + " " + reason() + ": " + getMessage();
  }
}
