import { Disposer } from "../core/disposer.js";

/** Of those that came between two moments. */
interface Calls {
  count: number;
  /** They are over. */
  over: () => void;
}

const noCalls = (): Calls => ({ count: 0, over: () => {} });

/** Calls that use something which must not be taken away from them. */
export class CallsUnderWay {
  #count = 0;
  /** Those that have come since `soFar` was last asked, and those before. */
  #calls = noCalls();
  #earlier: Promise<void> = Promise.resolve();

  get count(): number {
    return this.#count;
  }

  /** One more, until it is disposed of; `ended` is told then. */
  enter(ended: () => void): Disposable {
    const calls = this.#calls;
    this.#count++;
    calls.count++;
    return new Disposer(() => {
      this.#count--;
      calls.count--;
      ended();
      if (calls.count === 0) calls.over();
    });
  }

  /** Resolves when all that are there now are over, whatever comes meanwhile. */
  async soFar(): Promise<void> {
    const calls = this.#calls;
    this.#calls = noCalls();
    if (calls.count > 0) {
      const over = new Promise<void>((resolve) => {
        calls.over = resolve;
      });
      this.#earlier = Promise.all([this.#earlier, over]).then(() => {});
    }
    await this.#earlier;
  }
}
