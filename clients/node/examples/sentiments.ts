/**
 * Reads texts, one a line, from a file or standard input, and writes one JSON object a line, in their order:
 *
 *   node dist/clients/node/examples/sentiments.js [FILE] [--address HOST:PORT] [--tier fast|balanced|accurate|auto] [--mode batch|stream]
 *
 * SENTIMENT_API_KEY is the key, where the server asks for one.
 */
import { createReadStream } from "node:fs";
import { parseArgs } from "node:util";
import { connect, type Outcome, type Tier } from "sentiment-analyzer-pro";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    address: { type: "string" },
    tier: { type: "string" },
    mode: { type: "string", default: "batch" },
  },
});
const [file] = positionals;

/** Empty lines too: they are refused with TEXT_EMPTY. */
async function* lines(input: AsyncIterable<string>): AsyncGenerator<string> {
  let rest = "";
  for await (const chunk of input) {
    const whole = (rest + chunk).split("\n");
    rest = whole.pop() ?? "";
    yield* whole;
  }
  if (rest !== "") yield rest;
}

function answerOf({ index, sentiment, error }: Outcome): object {
  if (error) return { index, error: error.reason ?? error.code };
  const { label, score, confidence, tokenCount: token_count } = sentiment;
  return { index, label: `LABEL_${label.toUpperCase()}`, score, confidence, token_count };
}

const client = connect(values.address, { apiKey: process.env["SENTIMENT_API_KEY"] || undefined });
try {
  const input = file === undefined ? process.stdin : createReadStream(file);
  const texts = lines(input.setEncoding("utf8"));
  const options = { tier: values.tier as Tier | undefined };
  const outcomes =
    values.mode === "stream"
      ? client.analyzeStream(texts, options)
      : client.analyzeAll(texts, options);
  for await (const outcome of outcomes)
    process.stdout.write(`${JSON.stringify(answerOf(outcome))}\n`);
} finally {
  client.close();
}
