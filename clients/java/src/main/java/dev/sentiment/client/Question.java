package dev.sentiment.client;

/** A text on its way; {@code outcome} is null until it has one. */
final class Question implements Comparable<Question> {
  final long index;
  final String text;
  Outcome outcome;

  Question(long index, String text) {
    this.index = index;
    this.text = text;
  }

  @Override
  public int compareTo(Question other) {
    return Long.compare(index, other.index);
  }
}
