/** One line, or several of which `legend` tells one from the other. */
export interface Query {
  readonly expr: string;
  /** With the labels in it, as Grafana writes them: `{{model}}`. */
  readonly legend: string;
}

export interface Panel {
  readonly kind: "timeseries" | "stat";
  readonly title: string;
  /** What it says, and from where on it matters. */
  readonly description: string;
  /** Grafana's name of it: https://grafana.com/docs, "standard units". */
  readonly unit: string;
  readonly queries: readonly Query[];
  /** From where on it is yellow, and red. */
  readonly limits: readonly [warning: number, critical: number] | undefined;
}

type Limits = readonly [warning: number, critical: number];

const panelOf =
  (kind: Panel["kind"]) =>
  (
    title: string,
    unit: string,
    description: string,
    queries: readonly Query[],
    limits?: Limits,
  ): Panel => ({ kind, title, unit, description, queries, limits });

export const chart = panelOf("timeseries");
export const stat = panelOf("stat");

export const line = (legend: string, expr: string): Query => ({ expr, legend });

/** Of the servers that the reader has picked. */
export const picked = (metric: string, ...matchers: string[]): string =>
  `${metric}{${['instance=~"$instance"', ...matchers].join(",")}}`;

/** How fast a counter grows, added up over all labels but `by`. */
export const perSecond = (by: string, metric: string, ...matchers: string[]): string =>
  `sum by (${by}) (rate(${picked(metric, ...matchers)}[$__rate_interval]))`;

/** The value below which that share of a histogram's observations lies. */
export const quantile = (share: number, by: string, metric: string, ...matchers: string[]) =>
  `histogram_quantile(${share}, ${perSecond(by === "" ? "le" : `${by}, le`, `${metric}_bucket`, ...matchers)})`;

/** The mean of a histogram's observations. */
export const mean = (by: string, metric: string): string =>
  `${perSecond(by, `${metric}_sum`)} / ${perSecond(by, `${metric}_count`)}`;

/** `share` of `whole`: 0 where there is no series of it yet, which is none of it. */
export const shareOf = (share: string, whole: string): string =>
  `(${share} or 0 * ${whole}) / ${whole}`;
