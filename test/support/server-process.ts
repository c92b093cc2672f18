import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";

/** The command that a target of the Makefile ends in, without the installing and building before it. */
export function runCommand(target = "run"): string {
  const recipe = execFileSync("make", ["--dry-run", "--no-print-directory", target], {
    encoding: "utf8",
  });
  return recipe.trim().split("\n").at(-1) ?? "";
}

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Starts a shell command and gathers what it says; `ended` resolves when it has ended. */
export function start(
  command: string,
  env: Readonly<Record<string, string>> = {},
  stdin = "",
): { child: ChildProcess; ended: Promise<Ended> } {
  const child = spawn("bash", ["-c", command], {
    env: { PATH: process.env["PATH"], HOME: process.env["HOME"], ...env },
  });
  let stdout = "";
  let stderr = "";
  child.stdout.on("data", (bytes) => {
    stdout += bytes;
  });
  child.stderr.on("data", (bytes) => {
    stderr += bytes;
  });
  child.stdin.on("error", () => {});
  child.stdin.end(stdin);
  const ended = once(child, "close").then(([code]) => ({ code, stdout, stderr }));
  return { child, ended };
}

export interface ServerProcess extends AsyncDisposable {
  readonly address: string;
  readonly child: ChildProcess;
  readonly ended: Promise<Ended>;
}

/** The server as that target starts it, on a free port; resolves with the line that says its address. */
export async function startServer(
  env: Readonly<Record<string, string>> = {},
  target = "run",
): Promise<ServerProcess> {
  const { child, ended } = start(runCommand(target), { GRPC_PORT: "0", HTTP_PORT: "0", ...env });
  const address = await new Promise<string>((resolve, reject) => {
    if (child.stdout === null) return reject(new Error("no standard output"));
    createInterface({ input: child.stdout }).on("line", (line) => {
      const { address: found } = JSON.parse(line);
      if (found !== undefined) resolve(found);
    });
    ended.then(({ stderr }) => reject(new Error(`the server ended: ${stderr}`)), reject);
  });
  return {
    address,
    child,
    ended,
    async [Symbol.asyncDispose]() {
      child.kill("SIGTERM");
      await ended;
    },
  };
}
