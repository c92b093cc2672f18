/** What one call of this page came to. */
export interface Answered {
  /** Texts that got an answer. */
  readonly texts: number;
  /** Those of them that a cache had. */
  readonly hits: number;
  readonly tookMs: number;
  /** Rows of the batch that the text was in; 0: no model was run, or the answer does not tell. */
  readonly batchRows: number;
}

/** What was answered since it was last taken. */
export class Traffic {
  #answers: Answered[] = [];

  answered(answer: Answered): void {
    this.#answers.push(answer);
  }

  /** All since the last time, in the order in which they came. */
  take(): readonly Answered[] {
    const taken = this.#answers;
    this.#answers = [];
    return taken;
  }
}

/** Of this page; the live view takes it every two seconds. */
export const ownTraffic = new Traffic();
