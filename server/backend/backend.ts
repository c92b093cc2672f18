/** A padded batch, row-major: row r, token t is at `r * tokens + t`. */
export interface TokenBatch {
  readonly rows: number;
  /** A row's tokens, padding included. */
  readonly tokens: number;
  /** Shape [rows, tokens]. */
  readonly inputIds: BigInt64Array<ArrayBuffer>;
  /** Shape [rows, tokens]: 1 a token, 0 padding. */
  readonly attentionMask: BigInt64Array<ArrayBuffer>;
}

/** One version of a model of the repository: what a backend loads and runs. */
export interface ModelVersion {
  /** The folder's. */
  readonly name: string;
  /** The version folder's. */
  readonly version: number;
  readonly onnxPath: string;
  /** sha-256 of the ONNX file, hex. */
  readonly digest: string;
  /** Its size in bytes. */
  readonly bytes: number;
  /** sha-256 of the tokenizer.json that its ids come from, hex. */
  readonly tokenizerDigest: string;
  /** Tokens that it reads at once, special tokens included. */
  readonly maxTokens: number;
  readonly padId: number;
  /** What config.pbtxt says under `parameters`: who serves the model elsewhere must say the same. */
  readonly parameters: Readonly<Record<string, string>>;
}

/** What the callers of a batch allow. */
export interface InferContext {
  /** Fires when nobody waits for the answer any more. */
  readonly signal: AbortSignal;
  /** When the last caller gives up, on the server's clock in milliseconds; Infinity where none does. */
  readonly deadlineMs: number;
  /** W3C trace context to pass on. */
  readonly traceparent: string | undefined;
  readonly tracestate?: string | undefined;
}

export interface Inference {
  /** Unnormalised; shape [rows, classes]. */
  readonly logits: Float32Array;
  /** Of what answered: "1+embedded.3fa9c2d1". */
  readonly version: string;
  /** Milliseconds that the model itself took, where the backend knows. */
  readonly ranMs?: number;
}

export interface BackendStatus {
  readonly backend: string;
  readonly up: boolean;
  /** Those behind it, where it is not the process itself. */
  readonly servers?: readonly ServerState[];
}

export interface ServerState {
  /** host:port */
  readonly url: string;
  readonly up: boolean;
  /** Open: nothing is sent to it but probes. */
  readonly breaker: "open" | "closed";
  /** Batches, and probes. */
  readonly underWay: number;
}

/** Runs the models of the repository. Made by `embeddedBackend`, `tritonBackend` and `standBy`; makers return object literals. */
export interface Backend extends AsyncDisposable {
  /** Stands in `model_version`: "embedded", "triton". */
  readonly name: string;
  /** Batches of one model that it runs side by side. */
  readonly concurrency: number;
  /** Batches of one model that it takes at once: some wait inside it, so that it need not wait for the next one when one is done. */
  readonly maxInFlight: number;
  /** Milliseconds of batches that it takes beyond those that it runs: of long ones none, so that what comes meanwhile may go before. Unset: any. */
  readonly maxAheadMs?: number;
  /** Share of a batch's work that may be padding: the more a run costs by itself, the more it pays to fill it up. */
  readonly maxPaddingRatio: number;
  /** What a batch costs before its first token, in tokens; unset or undefined: it is to be learned from batches. */
  readonly fixedTokens?: number | undefined;
  /** Tokens, padding by what it costs, beyond which a batch only takes longer, unless it is done very soon; unset or undefined: so many times its fixed cost. */
  readonly worthwhileTokens?: number | undefined;
  /** It runs the file of which config.pbtxt says what padding costs; unset: another one of the model may be run, for which padding is taken to cost as much as what is read. */
  readonly heedsPaddingCost?: boolean;
  /**
   * Loads a model and runs it once. Resolves when it answers; rejects with what is wrong with the model, and with BACKEND_DOWN where
   * nothing can run it now.
   */
  load(model: ModelVersion): Promise<void>;
  /** Gives its memory back. Batches of it must be done. */
  unload(model: ModelVersion): Promise<void>;
  /** Whether a batch of a loaded model would be run now. */
  isUp(model: ModelVersion): boolean;
  /** Each backend behind it, and whether it can run models now; for metrics. */
  status(): readonly BackendStatus[];
  /**
   * The batch's buffers belong to the backend from here on. Rejects with ModelError where the model refused this batch, with
   * BACKEND_DOWN where nothing could run it, with the signal's reason when nobody waits any more.
   */
  infer(model: ModelVersion, batch: TokenBatch, context: InferContext): Promise<Inference>;
}

/** The model itself failed on a batch: another batch may well pass. */
export class ModelError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "ModelError";
  }
}

/** What Sentiment.model_version says of a model that `backend` runs. */
export const versionText = (backend: string, { version, digest }: ModelVersion): string =>
  `${version}+${backend}.${digest.slice(0, 8)}`;

/** Tells versions of models apart, also those of the same number before and after a change of the folder. */
export const keyOf = ({ name, version, digest }: ModelVersion): string =>
  `${name}/${version}@${digest}`;
