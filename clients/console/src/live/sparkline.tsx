const [WIDTH, HEIGHT] = [120, 32];
/** Samples that the line has room for. */
const ROOM = 60;

interface Props {
  readonly values: readonly (number | undefined)[];
  /** What the top is worth; undefined: the most of the values. */
  readonly top?: number;
}

/** The last two minutes as a line, the newest on the right; where nothing is known it is broken. The number beside it says the same now. */
export function Sparkline({ values, top }: Props) {
  const most = top ?? Math.max(...values.map((value) => value ?? 0), Number.MIN_VALUE);
  const x = (at: number) => ((ROOM - values.length + at + 1) / ROOM) * WIDTH;
  const y = (value: number) => HEIGHT - 1 - (value / most) * (HEIGHT - 3);
  let path = "";
  for (const [at, value] of values.entries()) {
    if (value === undefined) continue;
    const begins = path === "" || values[at - 1] === undefined;
    // A point alone is a short line.
    path += begins
      ? `M${(x(at) - 1).toFixed(1)} ${y(value).toFixed(1)}H${x(at).toFixed(1)}`
      : `L${x(at).toFixed(1)} ${y(value).toFixed(1)}`;
  }
  return (
    <svg
      class="sparkline"
      viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
      preserveAspectRatio="none"
      aria-hidden="true"
    >
      <path class="base" d={`M0 ${HEIGHT - 0.5}H${WIDTH}`} />
      <path class="line" d={path} />
    </svg>
  );
}
