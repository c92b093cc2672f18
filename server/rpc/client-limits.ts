/** What a client may take, in milliseconds. */
export interface ClientLimits {
  /** For a request that is one message to arrive: grpc-js calls no handler before it has, and knows no limit. */
  readonly requestMs: number;
  /** For the next message of a stream while none is under way, and for an answer to be taken; undefined: for ever. */
  readonly idleMs: number | undefined;
  /** Streams of requests at once: one whose reader has stopped holds about 300 KB until it is cut. */
  readonly maxStreams: number;
}

/** Streams of requests that are under way. */
export class OpenStreams {
  #open = 0;
  readonly #most: number;

  constructor(most: number) {
    this.#most = most;
  }

  /** One more; false: there are as many as there may be. */
  enter(): boolean {
    if (this.#open >= this.#most) return false;
    this.#open++;
    return true;
  }

  leave(): void {
    this.#open--;
  }
}
