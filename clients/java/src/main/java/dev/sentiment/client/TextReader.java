package dev.sentiment.client;

import static java.util.Objects.requireNonNull;

import java.util.Iterator;

/**
 * Reads the caller's texts in a thread of its own: a source that lets wait must not hold up the
 * outcomes before it.
 */
final class TextReader implements Runnable {
  private final Iterable<String> texts;
  private final Asking asking;
  private final Thread thread;

  TextReader(Iterable<String> texts, Asking asking) {
    this.texts = requireNonNull(texts);
    this.asking = asking;
    this.thread = new Thread(this, "sentiment-texts");
    thread.setDaemon(true);
  }

  void start() {
    thread.start();
  }

  void stop() {
    thread.interrupt();
  }

  @Override
  public void run() {
    try {
      Iterator<String> source = texts.iterator();
      while (asking.awaitRoom() && source.hasNext()) {
        asking.add(requireNonNull(source.next(), "a text is null"));
      }
      asking.complete(null);
    } catch (InterruptedException stopped) {
      // Nobody waits for more.
    } catch (RuntimeException error) {
      asking.complete(error);
    } catch (Error error) {
      asking.complete(new IllegalStateException("the texts cannot be read", error));
      throw error;
    }
  }
}
