package dev.sentiment.client;

/** Values of {@link SentimentException#reason()}; a newer server may have others. */
public final class Reason {
  public static final String TEXT_EMPTY = "TEXT_EMPTY";
  public static final String TEXT_TOO_LONG = "TEXT_TOO_LONG";
  public static final String TEXT_NOT_UTF8 = "TEXT_NOT_UTF8";
  public static final String TIER_UNKNOWN = "TIER_UNKNOWN";
  public static final String OPTION_UNKNOWN = "OPTION_UNKNOWN";
  public static final String ID_TOO_LONG = "ID_TOO_LONG";
  public static final String BATCH_EMPTY = "BATCH_EMPTY";
  public static final String BATCH_TOO_LARGE = "BATCH_TOO_LARGE";
  public static final String KEY_MISSING = "KEY_MISSING";
  public static final String KEY_UNKNOWN = "KEY_UNKNOWN";
  public static final String NOT_ALLOWED = "NOT_ALLOWED";
  public static final String METADATA_TOO_LARGE = "METADATA_TOO_LARGE";
  public static final String OVERLOADED = "OVERLOADED";
  public static final String RATE_LIMITED = "RATE_LIMITED";
  public static final String DEADLINE = "DEADLINE";
  public static final String BACKEND_DOWN = "BACKEND_DOWN";
  public static final String DRAINING = "DRAINING";
  public static final String BUG = "BUG";

  private Reason() {}
}
