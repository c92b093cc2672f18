/** Milliseconds: who has not asked for so long is not waited for. */
const GONE_MS = 5000;

/** Whether somebody asks for single texts, of whatever model: whoever does waits for the batches that the backend has, of all models. Of one process. */
export class Singles {
  #lastMs = Number.NEGATIVE_INFINITY;

  /** A call for one came. */
  came(nowMs: number): void {
    this.#lastMs = nowMs;
  }

  /** None has come of late: of those under way each is one of many, in a list or a stream. */
  areGone(nowMs: number): boolean {
    return nowMs - this.#lastMs >= GONE_MS;
  }
}
