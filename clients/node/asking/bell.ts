/** Wakes those who wait for a change; they look for themselves whether it is the one. */
export class Bell {
  #waiting: (() => void)[] = [];

  /** Resolves at the next ring. */
  wait(): Promise<void> {
    return new Promise((wake) => {
      this.#waiting.push(wake);
    });
  }

  ring(): void {
    const waiting = this.#waiting;
    if (waiting.length === 0) return;
    this.#waiting = [];
    for (const wake of waiting) wake();
  }
}
