/**
 * Gives back what was taken, once it is disposed of. For what is taken with each call: an object literal with a method of that name goes through V8's runtime whenever
 * one is made.
 */
export class Disposer implements Disposable {
  readonly #giveBack: () => void;

  constructor(giveBack: () => void) {
    this.#giveBack = giveBack;
  }

  [Symbol.dispose](): void {
    this.#giveBack();
  }
}
