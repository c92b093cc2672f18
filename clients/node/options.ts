import type { SentimentError } from "./errors.js";

/** Read as fast as they are answered. */
export type Texts = AsyncIterable<string> | Iterable<string>;

/** Which model answers; `auto`: fast does, and only what it is not sure of goes on to accurate. */
export type Tier = "fast" | "balanced" | "accurate" | "auto";

/** What to do with a text that the model cannot read at once. */
export type LongText = "windows" | "truncate" | "reject";

/** Files are PEM and read once, by `connect`. */
export interface TlsOptions {
  /** Certificates of the CAs that the server's is signed by. Default: Node's own, and NODE_EXTRA_CA_CERTS. */
  readonly caFile?: string | undefined;
  /** The client's certificate, for mutual TLS; goes with `keyFile`. */
  readonly certFile?: string | undefined;
  readonly keyFile?: string | undefined;
}

export interface ConnectOptions {
  /** Sent with every call as `authorization: Bearer`; without TLS it travels as it is. */
  readonly apiKey?: string | undefined;
  /** Default: false, plaintext; an address that begins with `https://` has TLS. */
  readonly tls?: boolean | TlsOptions | undefined;
  /** Of each call, tries again included, unless the call says otherwise. Default: 30,000; Infinity: none. */
  readonly deadlineMs?: number | undefined;
  /** From one ping to the next while calls are under way, so that a server that has vanished is noticed. Default: 30,000; 0: none. */
  readonly keepaliveMs?: number | undefined;
  /** For the answer to such a ping. Default: 10,000. */
  readonly keepaliveTimeoutMs?: number | undefined;
  /** Most bytes of one answer. Default: 64 MiB: 100 long texts with a weight for each word. */
  readonly maxMessageBytes?: number | undefined;
}

export interface AnalyzeOptions {
  /** Default: the server's. */
  readonly tier?: Tier | undefined;
  /** Also a verdict on each sentence. Default: false. */
  readonly sentences?: boolean | undefined;
  /** Also what each word adds to the score. Default: false. */
  readonly explain?: boolean | undefined;
  /** Neither look into the server's caches nor write to them. Default: false. */
  readonly skipCache?: boolean | undefined;
  /** Default: windows, all of the text is read. */
  readonly longText?: LongText | undefined;
}

export interface CallLimits {
  /** Default: that of `connect`. */
  readonly deadlineMs?: number | undefined;
  /** Ends the call; it rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
}

export interface CallOptions extends AnalyzeOptions, CallLimits {}

export interface AskingOptions extends AnalyzeOptions {
  /** Ends it all; the iteration throws the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  /** How long to go on while nothing is answered of what is asked. Default: 60,000; 0: what fails is not asked again. */
  readonly giveUpMs?: number | undefined;
  /** Told of each failure after which it is asked again, and when that will be. */
  readonly onRetry?: ((error: SentimentError, delayMs: number) => void) | undefined;
}

export interface BatchOptions extends AskingOptions {
  /** Texts of one call. Default: 32. The server takes 100 unless it is set otherwise. */
  readonly batchSize?: number | undefined;
  /** Calls under way. Default: 4. */
  readonly concurrency?: number | undefined;
  /** Of one call. Default: that of `connect`. */
  readonly deadlineMs?: number | undefined;
}

export interface StreamOptions extends AskingOptions {
  /** Texts that are read and not yet handed out as outcomes. Default: 256. */
  readonly maxUnderWay?: number | undefined;
  /** Outcomes in the order of the texts; false: as they come. Default: true. */
  readonly inOrder?: boolean | undefined;
}

/** Throws RangeError for what is no count. */
export function countOf(name: string, value: number): number {
  if (Number.isInteger(value) && value > 0) return value;
  throw new RangeError(`${name} must be a whole number from 1 on, not ${value}`);
}
