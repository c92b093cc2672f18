import type { SentimentClient } from "../client.js";
import type { StreamOptions } from "../options.js";
import type { Row } from "./format.js";
import type { Progress } from "./progress.js";
import type { Sink } from "./sink.js";

/** Of this run, so far. */
export interface Tally {
  answered: number;
  refused: number;
}

/** Writes each row with its answer, in their order; holds no more of them than are under way. */
export async function answerRows(
  client: SentimentClient,
  rows: AsyncIterable<Row>,
  sink: Sink,
  options: StreamOptions,
  progress: Progress,
  tally: Tally,
): Promise<void> {
  const underWay: Row[] = [];
  async function* texts() {
    for await (const row of rows) {
      underWay.push(row);
      yield row.text;
    }
  }
  for await (const outcome of client.analyzeStream(texts(), options)) {
    const row = underWay.shift();
    if (row === undefined) throw new Error("there are more answers than texts");
    if (outcome.error) tally.refused++;
    tally.answered++;
    await sink.write(row.encode(outcome));
    progress.at(tally.answered);
  }
}
