package dev.sentiment.client;

import dev.sentiment.v1.Sentiment;

/** What became of one text: a {@link Success} or a {@link Failure}. */
public sealed interface Outcome {
  /** Place of the text among those that were asked, from 0. */
  long index();

  String text();

  /**
   * The verdict.
   *
   * @throws SentimentException why there is none
   */
  Sentiment sentiment();

  record Success(long index, String text, Sentiment sentiment) implements Outcome {}

  record Failure(long index, String text, SentimentException error) implements Outcome {
    @Override
    public Sentiment sentiment() {
      throw error.thrownHere();
    }
  }
}
