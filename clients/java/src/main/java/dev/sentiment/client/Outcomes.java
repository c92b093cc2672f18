package dev.sentiment.client;

import java.util.Spliterators.AbstractSpliterator;
import java.util.function.Consumer;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;

/** What an asking comes to, one outcome at a time. */
final class Outcomes extends AbstractSpliterator<Outcome> {
  private final Asking asking;

  private Outcomes(Asking asking) {
    super(Long.MAX_VALUE, ORDERED | NONNULL);
    this.asking = asking;
  }

  static Stream<Outcome> stream(Asking asking) {
    return StreamSupport.stream(new Outcomes(asking), false).onClose(asking::close);
  }

  @Override
  public boolean tryAdvance(Consumer<? super Outcome> action) {
    Outcome outcome = asking.next();
    if (outcome == null) return false;
    action.accept(outcome);
    return true;
  }
}
