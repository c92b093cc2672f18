import type { Outcome } from "./plan.js";

/** A case that ended as it must not. */
interface Fault {
  readonly place: number;
  readonly kind: string;
  readonly fault: string;
}

interface Slow {
  readonly ms: number;
  readonly place: number;
}

interface Tally {
  calls: number;
  readonly said: Map<string, number>;
  slowest: Slow;
}

/** What came of the cases, by their kind. */
export class Report {
  readonly faults: Fault[] = [];
  readonly #tallies = new Map<string, Tally>();
  calls = 0;

  note(kind: string, place: number, { said, fault }: Outcome, ms: number): void {
    this.calls++;
    const tally = this.#tallyOf(kind);
    tally.calls++;
    tally.said.set(said, (tally.said.get(said) ?? 0) + 1);
    if (ms > tally.slowest.ms) tally.slowest = { ms, place };
    if (fault !== undefined) this.faults.push({ place, kind, fault });
  }

  /** How many ended so. */
  countOf(kind: string, said: string): number {
    return this.#tallies.get(kind)?.said.get(said) ?? 0;
  }

  /** Kinds and how they ended, as a table of Markdown. */
  get table(): string {
    const rows = [...this.#tallies].map(([kind, { calls, said, slowest }]) => {
      const ends = [...said].sort(([, one], [, other]) => other - one);
      const told = ends.map(([name, count]) => `${name} ${count}`).join(", ");
      return `| ${kind} | ${calls} | ${Math.round(slowest.ms)} (case ${slowest.place}) | ${told} |`;
    });
    return ["| kind | cases | slowest, ms | ends |", "|---|---|---|---|", ...rows].join("\n");
  }

  #tallyOf(kind: string): Tally {
    let tally = this.#tallies.get(kind);
    if (tally === undefined) {
      tally = { calls: 0, said: new Map(), slowest: { ms: 0, place: 0 } };
      this.#tallies.set(kind, tally);
    }
    return tally;
  }
}
