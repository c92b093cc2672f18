import { type Measured, medianOf, record, spread, type Wanted } from "./results.js";

/** Tells the numbers of a benchmark as they are there, and keeps them. */
export class Report {
  readonly #measured: Measured[] = [];
  readonly #missed: string[] = [];
  readonly #head: string;

  /** `head`: before what each number is called, so that those of other settings are not taken for those of the standard ones. */
  constructor(head = "") {
    this.#head = head;
  }

  /** Nothing is told of a number that was never taken; one that is wanted is missed then. */
  tell(
    what: string,
    unit: string,
    rounds: readonly number[],
    digits: number,
    wanted?: Wanted,
  ): void {
    const name = `${this.#head}${what}`;
    if (rounds.length > 0) {
      process.stdout.write(`${name}: ${spread(rounds, digits)} ${unit}\n`);
      this.#measured.push({ what: name, unit, rounds, ...(wanted && { wanted }) });
    }
    if (wanted !== undefined && !isKept(rounds, wanted))
      this.#missed.push(`${name} (wanted: ${wordsOf(wanted)})`);
  }

  /** Adds what was told to benchmarks/results/<benchmark>.jsonl, and says what was missed: the process ends with exit code 1 then. */
  async record(benchmark: string): Promise<void> {
    await record(benchmark, this.#measured);
    for (const what of this.#missed) process.stdout.write(`not reached: ${what}\n`);
    if (this.#missed.length > 0) process.exitCode = 1;
  }
}

/** By rounds of a number, at least one; NaN keeps to nothing. */
export function isKept(rounds: readonly number[], { atLeast, atMost, always }: Wanted): boolean {
  const judged = always === true ? rounds : [medianOf(rounds)];
  const keeps = (value: number) =>
    (atLeast === undefined || value >= atLeast) && (atMost === undefined || value <= atMost);
  return judged.length > 0 && !judged.some(Number.isNaN) && judged.every(keeps);
}

const wordsOf = ({ atLeast, atMost, always }: Wanted): string =>
  [
    ...(atLeast === undefined ? [] : [`at least ${atLeast}`]),
    ...(atMost === undefined ? [] : [`at most ${atMost}`]),
    ...(always === true ? ["in each round"] : []),
  ].join(" ");
