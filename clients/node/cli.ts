#!/usr/bin/env node
import { once } from "node:events";
import { ClientError } from "nice-grpc";
import { type Arguments, parseArguments, USAGE, UsageError } from "./arguments.js";
import { connect } from "./client.js";
import { lines, progressOf, SILENT } from "./input.js";
import { jsonLine, textLine } from "./output.js";

async function main(): Promise<number> {
  const given = parseArguments(process.argv.slice(2), process.env);
  const nothing = given.texts.length === 0 && process.stdin.isTTY;
  if (!given.help && !nothing) return answer(given);
  process.stdout.write(USAGE);
  return given.help ? 0 : 2;
}

/** Writes a line a text as the answers come; returns the exit code. */
async function answer({ texts, tier, address, key, json }: Arguments): Promise<number> {
  const lineOf = json ? jsonLine : textLine;
  const piped = texts.length === 0;
  using progress = piped ? progressOf(process.stdin, process.stdout, process.stderr) : SILENT;
  using client = connect(address, key);
  let refused = 0;
  for await (const outcome of client.analyze(piped ? lines(process.stdin) : texts, tier)) {
    if ("error" in outcome) refused++;
    if (!process.stdout.write(lineOf(outcome))) await once(process.stdout, "drain");
    progress.answered(outcome.text);
  }
  if (refused === 0) return 0;
  process.stderr.write(`sentiment: ${refused} texts were refused\n`);
  return 1;
}

/** What a person is told of an error, and the exit code. Anything else is a bug: it is thrown on. */
function explain(error: unknown): number {
  if (error instanceof UsageError) {
    process.stderr.write(`sentiment: ${error.message}\n\n${USAGE}`);
    return 2;
  }
  if (!(error instanceof ClientError)) throw error;
  process.stderr.write(`sentiment: ${error.details}\n`);
  return 1;
}

// A reader that goes away (`| head`) ends the program quietly.
process.stdout.on("error", (error: NodeJS.ErrnoException) =>
  process.exit(error.code === "EPIPE" ? 0 : 1),
);
process.exitCode = await main().catch(explain);
// Lines that nobody will answer any more must not keep the program waiting for their end.
process.stdin.destroy();
