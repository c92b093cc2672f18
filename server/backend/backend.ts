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

/** Runs the models of the repository. Made by `embeddedBackend` (and later Triton's); makers return object literals. */
export interface Backend extends AsyncDisposable {
  /** Stands in `model_version`: "embedded", "triton". */
  readonly name: string;
  /** Batches of one model that it runs side by side. */
  readonly concurrency: number;
  /** Loads a model and runs it once. Resolves when it answers; rejects with what is wrong with the model. */
  load(model: string): Promise<void>;
  /**
   * Logits, unnormalised; shape [rows, classes]. The batch's buffers belong to the backend from here on.
   * Rejects with ModelError where the model refused this batch, with BACKEND_DOWN where nothing could run it.
   */
  infer(model: string, batch: TokenBatch): Promise<Float32Array>;
}

/** The model itself failed on a batch: another batch may well pass. */
export class ModelError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "ModelError";
  }
}
