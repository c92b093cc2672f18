import { spawn } from "node:child_process";
import { once } from "node:events";
import { stat } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";

const CLI = "dist/clients/node/cli.js";

export interface Run {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** The command itself, without a shell around it; `during` gets what ends it. */
export async function runCommandLine(
  args: readonly string[],
  during: (
    kill: (signal: NodeJS.Signals) => void,
    isOver: () => boolean,
  ) => Promise<void> = async () => {},
): Promise<Run> {
  const child = spawn(process.execPath, [CLI, ...args], { stdio: ["ignore", "pipe", "pipe"] });
  const said = { stdout: "", stderr: "" };
  for (const name of ["stdout", "stderr"] as const)
    child[name].setEncoding("utf8").on("data", (text: string) => {
      said[name] += text;
    });
  const closed = once(child, "close");
  await during(
    (signal) => child.kill(signal),
    () => child.exitCode !== null,
  ).catch((error: unknown) => {
    throw new Error(`${said.stdout}${said.stderr}exit code ${child.exitCode}`, { cause: error });
  });
  const [code] = await closed;
  return { code, ...said };
}

/** Runs it until its output has so many bytes, and signals it then. Rejects when it was sooner through. */
export function brokenRun(
  args: readonly string[],
  output: string,
  bytes: number,
  signal: NodeJS.Signals,
): Promise<Run> {
  return runCommandLine(args, async (kill, isOver) => {
    while ((await sizeOf(output)) < bytes) {
      if (isOver()) throw new Error(`it was through before its output had ${bytes} bytes`);
      await sleep(2);
    }
    kill(signal);
  });
}

/** 0: it is not there. */
export const sizeOf = (file: string): Promise<number> =>
  stat(file).then(
    ({ size }) => size,
    () => 0,
  );
