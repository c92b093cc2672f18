/** A value at a time. */
export interface Point {
  readonly at: number;
  readonly value: number;
}

/** A straight line: `value` at the time 0, and what it grows by in one unit of time. */
export interface Line {
  readonly value: number;
  readonly slope: number;
}

/** Through all points, by least squares. */
export function leastSquares(points: readonly Point[]): Line {
  const mean = (of: (point: Point) => number) =>
    points.reduce((sum, point) => sum + of(point), 0) / points.length;
  const [at, value] = [mean((point) => point.at), mean((point) => point.value)];
  const spread = mean((point) => (point.at - at) ** 2);
  const slope = mean((point) => (point.at - at) * (point.value - value)) / spread;
  return { value: value - slope * at, slope };
}

/** By the median of the slopes between all pairs of points (Theil and Sen): a few that stick out do not move it. */
export function theilSen(points: readonly Point[]): Line {
  const slopes = points.flatMap((one, place) =>
    points.slice(place + 1).map((other) => (other.value - one.value) / (other.at - one.at)),
  );
  const slope = median(slopes);
  return { value: median(points.map(({ at, value }) => value - slope * at)), slope };
}

function median(values: readonly number[]): number {
  const sorted = Float64Array.from(values).sort();
  const middle = Math.floor(sorted.length / 2);
  const [low = Number.NaN, high = Number.NaN] = sorted.slice(
    sorted.length % 2 === 0 ? middle - 1 : middle,
    middle + 1,
  );
  return sorted.length % 2 === 0 ? (low + high) / 2 : low;
}
