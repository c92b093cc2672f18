import type { Panel } from "./panel.js";

export interface Dashboard {
  /** Of its file and its address. */
  readonly name: string;
  readonly title: string;
  readonly description: string;
  readonly panels: readonly Panel[];
}

/** Of 24 columns. */
const WIDTHS = { stat: 4, timeseries: 8 } as const;
const HEIGHTS = { stat: 4, timeseries: 8 } as const;
const COLUMNS = 24;
const TAG = "sentiment";
const DATASOURCE = { type: "prometheus", uid: "$datasource" };

/** The dashboard as Grafana reads it. Its panels stand left to right, top to bottom, as they are listed. */
export function dashboardText({ name, title, description, panels }: Dashboard): string {
  const places = placesOf(panels);
  const model = {
    uid: `sentiment-${name}`,
    title: `Sentiment / ${title}`,
    description,
    tags: [TAG],
    schemaVersion: 38,
    editable: false,
    graphTooltip: 1,
    refresh: "30s",
    time: { from: "now-3h", to: "now" },
    timezone: "",
    links: [
      {
        type: "dashboards",
        title: "Sentiment",
        tags: [TAG],
        asDropdown: true,
        keepTime: true,
        includeVars: true,
      },
    ],
    templating: { list: VARIABLES },
    panels: panels.map((panel, index) => panelModel(panel, index + 1, places[index])),
  };
  return `${JSON.stringify(model, null, 2)}\n`;
}

const VARIABLES = [
  { name: "datasource", label: "Data source", type: "datasource", query: "prometheus" },
  {
    name: "instance",
    label: "Server",
    type: "query",
    datasource: DATASOURCE,
    query: { query: "label_values(sentiment_build_info, instance)", refId: "instance" },
    refresh: 2,
    sort: 1,
    multi: true,
    includeAll: true,
    allValue: ".*",
    current: { text: "All", value: "$__all" },
  },
];

interface Place {
  readonly x: number;
  readonly y: number;
  readonly w: number;
  readonly h: number;
}

function placesOf(panels: readonly Panel[]): readonly Place[] {
  const places: Place[] = [];
  let [x, y, rowHeight] = [0, 0, 0];
  for (const { kind } of panels) {
    const [w, h] = [WIDTHS[kind], HEIGHTS[kind]];
    // Those of another height begin a row of their own.
    if (x + w > COLUMNS || (x > 0 && h !== rowHeight)) [x, y] = [0, y + rowHeight];
    places.push({ x, y, w, h });
    [x, rowHeight] = [x + w, h];
  }
  return places;
}

function panelModel(
  { kind, title, description, unit, queries, limits }: Panel,
  id: number,
  gridPos?: Place,
) {
  return {
    id,
    type: kind,
    title,
    description,
    gridPos,
    datasource: DATASOURCE,
    fieldConfig: {
      defaults: {
        unit,
        // A scale that begins elsewhere makes much of little.
        ...(kind === "timeseries" && {
          min: 0,
          custom: { fillOpacity: 10, ...thresholdLine(limits) },
        }),
        // A line has its own colour, of those that stand for the series.
        color: { mode: kind === "stat" ? "thresholds" : "palette-classic" },
        ...(limits && { thresholds: { mode: "absolute", steps: steps(limits) } }),
      },
      overrides: [],
    },
    options:
      kind === "stat"
        ? { reduceOptions: { calcs: ["lastNotNull"] }, colorMode: limits ? "value" : "none" }
        : { legend: { displayMode: "list", placement: "bottom" }, tooltip: { mode: "multi" } },
    targets: queries.map(({ expr, legend }, index) => ({
      refId: String.fromCharCode("A".charCodeAt(0) + index),
      datasource: DATASOURCE,
      expr,
      legendFormat: legend,
    })),
  };
}

const thresholdLine = (limits: Panel["limits"]) =>
  limits && { thresholdsStyle: { mode: "dashed" } };

/** Where the critical value is the lower one, what is little is bad. */
const steps = ([warning, critical]: NonNullable<Panel["limits"]>) =>
  critical < warning
    ? [step("red", null), step("yellow", critical), step("green", warning)]
    : [step("green", null), step("yellow", warning), step("red", critical)];

const step = (color: string, value: number | null) => ({ color, value });
