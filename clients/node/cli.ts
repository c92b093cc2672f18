#!/usr/bin/env node
import { connect, type SentimentClient } from "./client.js";
import { answerFiles, answerTexts } from "./command/answer.js";
import { type Arguments, parseArguments } from "./command/arguments.js";
import { explain, messageOf, UsageError } from "./command/faults.js";
import { interruption } from "./command/interruption.js";
import { USAGE } from "./command/usage.js";

async function main(): Promise<number> {
  const given = parseArguments(process.argv.slice(2), process.env);
  const { help, texts, files } = given;
  const nothing = texts.length === 0 && files.input === undefined && process.stdin.isTTY;
  if (!help && !nothing) return await answer(given);
  process.stdout.write(USAGE);
  return help ? 0 : 2;
}

async function answer(given: Arguments): Promise<number> {
  const client = open(given);
  try {
    if (given.texts.length > 0) return await answerTexts(client, given);
    return await answerFiles(client, given, interruption());
  } finally {
    client.close();
  }
}

function open({ address, connection }: Arguments): SentimentClient {
  try {
    return connect(address, connection);
  } catch (error) {
    throw new UsageError(`the server cannot be asked (${messageOf(error)})`);
  }
}

// A reader that goes away (`| head`) ends the program quietly.
process.stdout.on("error", (error: NodeJS.ErrnoException) =>
  process.exit(error.code === "EPIPE" ? 0 : 1),
);
process.exitCode = await main().catch(explain);
// Lines that nobody will answer any more must not keep the program waiting for their end.
process.stdin.destroy();
