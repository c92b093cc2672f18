package dev.sentiment.client;

import com.google.protobuf.Any;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.Message;
import io.grpc.protobuf.StatusProto;
import java.util.List;
import java.util.Optional;

/** The google.rpc messages that come with an error. */
record Details(List<Any> all) {
  /** Those in the trailers of a call that failed; none where they cannot be read. */
  static Details of(Throwable error) {
    try {
      com.google.rpc.Status status = StatusProto.fromThrowable(error);
      return new Details(status == null ? List.of() : status.getDetailsList());
    } catch (IllegalArgumentException unreadable) {
      return new Details(List.of());
    }
  }

  <T extends Message> Optional<T> find(Class<T> type) {
    return all.stream()
        .filter(detail -> detail.is(type))
        .findFirst()
        .flatMap(detail -> read(detail, type));
  }

  private static <T extends Message> Optional<T> read(Any detail, Class<T> type) {
    try {
      return Optional.of(detail.unpack(type));
    } catch (InvalidProtocolBufferException unreadable) {
      return Optional.empty();
    }
  }
}
