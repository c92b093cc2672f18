import { type Measured, ratiosOf, spread } from "../results.js";
import { BATCH_CALLERS, CALLERS, type Figures, ROWS, SHARE } from "./measure.js";

/** What one server did in one turn, and the plain loop right before it. */
export interface Round extends Figures {
  /** Texts a second. */
  readonly loop: number;
}

type Rounds = ReadonlyMap<string, readonly Round[]>;

const HEAD = [
  "server",
  `${CALLERS} callers of one text: texts/s (to the loop)`,
  `${BATCH_CALLERS} callers of ${ROWS}: texts/s (to the loop)`,
  `p50/p99 ms at ${SHARE}`,
  "memory MB (PSS)",
];

function figuresOf(rounds: readonly Round[]) {
  const of = (figure: keyof Round) => rounds.map((round) => round[figure]);
  const toLoop = (figure: keyof Round) => ratiosOf(of(figure), of("loop"));
  return { of, toLoop };
}

/** Markdown; medians, and of ratios least and most too. */
export function table(all: Rounds): string {
  const rows = [...all].map(([title, rounds]) => {
    const { of, toLoop } = figuresOf(rounds);
    const middle = (figure: keyof Round) => spread(of(figure), 0).split(" ")[0];
    const rate = (figure: "unary" | "batch") => `${middle(figure)}; ${spread(toLoop(figure), 2)}`;
    return [
      title,
      rate("unary"),
      rate("batch"),
      `${middle("p50Ms")}/${middle("p99Ms")}`,
      middle("megabytes"),
    ];
  });
  const lines = [HEAD, HEAD.map(() => "---"), ...rows].map((cells) => `| ${cells.join(" | ")} |`);
  return `${lines.join("\n")}\n`;
}

/** As the results keep it. */
export function measuredOf(all: Rounds): Measured[] {
  return [...all].flatMap(([title, rounds]) => {
    const { of, toLoop } = figuresOf(rounds);
    const one = `${title}: ${CALLERS} callers of one text`;
    const many = `${title}: ${BATCH_CALLERS} callers of ${ROWS}`;
    return [
      { what: one, unit: "texts/s", rounds: of("unary") },
      { what: `${one}, to the loop`, unit: "ratio", rounds: toLoop("unary") },
      { what: many, unit: "texts/s", rounds: of("batch") },
      { what: `${many}, to the loop`, unit: "ratio", rounds: toLoop("batch") },
      { what: `${title}: p50 at ${SHARE}`, unit: "ms", rounds: of("p50Ms") },
      { what: `${title}: p99 at ${SHARE}`, unit: "ms", rounds: of("p99Ms") },
      { what: `${title}: memory`, unit: "MB", rounds: of("megabytes") },
      { what: `${title}: client, a text`, unit: "us of CPU", rounds: of("clientUs") },
      { what: `${title}: the loop before it`, unit: "texts/s", rounds: of("loop") },
    ];
  });
}
