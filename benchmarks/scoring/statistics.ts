/** A share of right answers. */
export interface Score {
  readonly right: number;
  readonly all: number;
}

export const share = ({ right, all }: Score): number => right / all;

/** Wilson's 95 % interval of a share. */
function interval({ right, all }: Score): readonly [low: number, high: number] {
  const z = 1.96;
  const centre = (right / all + (z * z) / (2 * all)) / (1 + (z * z) / all);
  const spread = ((right / all) * (1 - right / all)) / all + (z * z) / (4 * all * all);
  const half = (z / (1 + (z * z) / all)) * Math.sqrt(spread);
  return [centre - half, centre + half];
}

/** As in "0.9050 (0.8907 to 0.9176)". */
export function withInterval(score: Score): string {
  const [low, high] = interval(score).map((bound) => bound.toFixed(4));
  return `${share(score).toFixed(4)} (${low} to ${high})`;
}

const BINS = 15;

/** Expected calibration error over equal bins of the confidence (Guo et al., ICML 2017). */
export function calibrationError(
  answers: readonly { readonly confidence: number; readonly right: boolean }[],
): number {
  const bins = Array.from({ length: BINS }, () => ({ confidence: 0, right: 0 }));
  for (const { confidence, right } of answers) {
    const bin = bins[Math.min(BINS - 1, Math.floor(confidence * BINS))];
    if (bin === undefined) continue;
    bin.confidence += confidence;
    bin.right += Number(right);
  }
  const gaps = bins.map(({ confidence, right }) => Math.abs(confidence - right));
  return gaps.reduce((sum, gap) => sum + gap, 0) / answers.length;
}

/** A table in Markdown. */
export const table = (
  head: readonly string[],
  rows: readonly (readonly (string | number)[])[],
): string =>
  [head, head.map(() => "---"), ...rows].map((cells) => `| ${cells.join(" | ")} |\n`).join("");
