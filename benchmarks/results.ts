import { execFileSync } from "node:child_process";
import { appendFile, mkdir, readFile } from "node:fs/promises";
import { availableParallelism, cpus } from "node:os";
import { join } from "node:path";

const FOLDER = "benchmarks/results";

/** What a number must keep to: its median over the rounds, or with `always` that of each round. */
export interface Wanted {
  readonly atLeast?: number;
  readonly atMost?: number;
  readonly always?: boolean;
}

/** Rounds of one number; ratios are taken within a round. */
export interface Measured {
  /** What was done, as in "balanced: AnalyzeBatch". */
  readonly what: string;
  readonly unit: string;
  readonly rounds: readonly number[];
  readonly wanted?: Wanted;
}

const git = (...args: string[]): string => execFileSync("git", args, { encoding: "utf8" }).trim();

/** A line of benchmarks/results/<benchmark>.jsonl. */
export interface Line {
  readonly at: string;
  readonly commit: string;
  readonly machine: string;
  readonly measured: readonly (Measured & ReturnType<typeof spreadOf>)[];
}

/** Adds a line to benchmarks/results/<benchmark>.jsonl: what was measured, of which commit, where and when, and what else there is to keep. */
export async function record(
  benchmark: string,
  measured: readonly Measured[],
  more: Readonly<Record<string, unknown>> = {},
): Promise<Line> {
  const dirty = git("status", "--porcelain", "--", "server", "triton-model-repo") !== "";
  const line = {
    at: new Date().toISOString(),
    commit: `${git("rev-parse", "--short", "HEAD")}${dirty ? "+" : ""}`,
    machine: await machine(),
    measured: measured.map(({ rounds, ...rest }) => ({
      ...rest,
      ...spreadOf(rounds),
      rounds: rounds.map((value) => Number(value.toPrecision(5))),
    })),
    ...more,
  };
  await mkdir(FOLDER, { recursive: true });
  await appendFile(join(FOLDER, `${benchmark}.jsonl`), `${JSON.stringify(line)}\n`);
  return line;
}

/** What a chart of it is called. */
export const headOf = (benchmark: string, { at, commit, machine }: Line) =>
  `${benchmark}: commit ${commit}, ${at.slice(0, 10)}, ${machine}`;

/** int8 models are several times as fast on CPUs with VNNI, so numbers of both kinds must not be taken for each other's. */
export async function machine(): Promise<string> {
  const info = await readFile("/proc/cpuinfo", "utf8").catch(() => "");
  const vnni = /_vnni\b/.test(info) ? "VNNI" : "no VNNI";
  const cores = availableParallelism();
  const ghz = process.env["GHZ_CPUS"] === undefined ? "" : ", ghz on others";
  return `${cpus()[0]?.model ?? "unknown"} (${vnni}), ${cores} CPUs${ghz}, Node ${process.version}`;
}

function spreadOf(values: readonly number[]) {
  const sorted = values.toSorted((one, other) => one - other);
  const short = (value = Number.NaN) => Number(value.toPrecision(5));
  return { median: short(medianOf(values)), least: short(sorted[0]), most: short(sorted.at(-1)) };
}

/** NaN of none. */
export function medianOf(values: readonly number[]): number {
  const sorted = values.toSorted((one, other) => one - other);
  const at = (place: number) => sorted[place] ?? Number.NaN;
  const last = sorted.length - 1;
  return (at(Math.floor(last / 2)) + at(Math.ceil(last / 2))) / 2;
}

/** "0.91 (0.88 to 0.95)": median, least and most. */
export function spread(values: readonly number[], digits: number): string {
  const { median, least, most } = spreadOf(values);
  return `${median.toFixed(digits)} (${least.toFixed(digits)} to ${most.toFixed(digits)})`;
}

/** A number that is taken once a round. */
export interface InTurn {
  readonly run: () => Promise<number>;
  readonly rounds: number[];
}

/** Takes all numbers in turn, round after round; a first turn that warms up does not count. */
export async function inTurns(rounds: number, all: readonly InTurn[]): Promise<void> {
  for (let round = -1; round < rounds; round++) {
    for (const one of all) {
      const value = await one.run();
      if (round >= 0) one.rounds.push(value);
    }
  }
}

/** Round by round, of what it is a ratio to. */
export const ratiosOf = (values: readonly number[], to: readonly number[]): number[] =>
  values.map((value, round) => value / (to[round] ?? Number.NaN));

/** Round by round, less what is taken from it. */
export const differencesOf = (values: readonly number[], less: readonly number[]): number[] =>
  values.map((value, round) => value - (less[round] ?? Number.NaN));
