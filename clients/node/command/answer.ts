import type { SentimentClient } from "../client.js";
import type { Arguments } from "./arguments.js";
import { explain, say } from "./faults.js";
import type { FileArguments } from "./file-arguments.js";
import { type Job, openJob, openSink, rowsLeft } from "./files.js";
import { until } from "./interruption.js";
import { barOf, type Progress, SILENT } from "./progress.js";
import { answerRows, type Tally } from "./run.js";
import { streamSink } from "./sink.js";
import { textRow } from "./text.js";

const INTERRUPTED = 130;

/** The texts of the command line. Returns the exit code. */
export async function answerTexts(
  client: SentimentClient,
  { texts, files, tier, giveUpMs }: Arguments,
): Promise<number> {
  await client.models();
  async function* rows() {
    for (const text of texts) yield textRow(text, files.json);
  }
  const tally = { answered: 0, refused: 0 };
  const sink = streamSink(process.stdout);
  await answerRows(client, rows(), sink, { tier, giveUpMs }, SILENT, tally);
  return codeOf(tally);
}

interface Run {
  readonly client: SentimentClient;
  readonly given: Arguments;
  readonly interrupted: AbortSignal;
  readonly job: Job;
  readonly progress: Progress;
  readonly tally: Tally;
}

/** The texts of a file or of standard input, until the signal fires. Returns the exit code. */
export async function answerFiles(
  client: SentimentClient,
  given: Arguments,
  interrupted: AbortSignal,
): Promise<number> {
  const job = await openJob(given.files);
  // A server that is not there, or a key that is wrong, is told before anything is written.
  await client.models();
  const progress = progressOf(given.files, job);
  const tally = { answered: 0, refused: 0 };
  const run = { client, given, interrupted, job, progress, tally };
  const failure = await answerJob(run).then(
    () => undefined,
    (error: unknown) => ({ error }),
  );
  progress.stop();
  return ended(run, failure);
}

async function answerJob({ client, given, interrupted, job, progress, tally }: Run): Promise<void> {
  const { files, tier, giveUpMs } = given;
  const rows = until(interrupted, job.table.rows);
  const left = await rowsLeft(job, rows, files.output, () => progress.at(0));
  const sink = await openSink(files, job);
  const onRetry = ({ message }: Error) => progress.note(message);
  try {
    await answerRows(client, left, sink, { tier, giveUpMs, onRetry }, progress, tally);
  } finally {
    await sink.close();
  }
}

/** A bar while answers go into a file or a pipe; where they go to the terminal, they are the progress. */
function progressOf({ output }: FileArguments, { input }: Job): Progress {
  const isSeen = output === undefined && process.stdout.isTTY;
  return process.stderr.isTTY && !isSeen ? barOf(input, process.stderr) : SILENT;
}

/** Says how it ended, and how to go on. Returns the exit code. */
function ended(
  { given, interrupted, job, tally }: Run,
  failure: { readonly error: unknown } | undefined,
): number {
  if (failure === undefined && !interrupted.aborted) return codeOf(tally);
  const code = interrupted.aborted ? INTERRUPTED : explain(failure?.error);
  if (interrupted.aborted) say("interrupted");
  const { output } = given.files;
  const records = job.written.records + tally.answered;
  // Wrong arguments are as wrong with --resume.
  if (output !== undefined && code !== 2)
    say(`${records} records are in ${output}: the same command with --resume goes on`);
  return code;
}

function codeOf({ refused }: Tally): number {
  if (refused === 0) return 0;
  say(`${refused} texts were refused`);
  return 1;
}
