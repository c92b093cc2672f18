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
  /** `address:port` of /metrics, /livez and /readyz. */
  readonly opsAddress: string;
  readonly child: ChildProcess;
  readonly ended: Promise<Ended>;
  /** Lines of its log so far, parsed. */
  readonly log: readonly Record<string, unknown>[];
}

/** The server as that target starts it, on a free port; resolves with the line that says its address. */
export async function startServer(
  env: Readonly<Record<string, string>> = {},
  target = "run",
): Promise<ServerProcess> {
  const alone = { GRPC_PORT: "0", HTTP_PORT: "0", REST_BRIDGE: "false" };
  const { child, ended } = start(runCommand(target), { ...alone, ...env });
  const log: Record<string, unknown>[] = [];
  const address = await new Promise<string>((resolve, reject) => {
    if (child.stdout === null) return reject(new Error("no standard output"));
    createInterface({ input: child.stdout }).on("line", (text) => {
      const line = JSON.parse(text);
      log.push(line);
      // Of several processes the first to serve must not be taken for all.
      if (line.address !== undefined && line.process === undefined) resolve(line.address);
    });
    ended.then(({ stderr }) => reject(new Error(`the server ended: ${stderr}`)), reject);
  });
  const opsAddress = String(log.find((line) => line["opsAddress"])?.["opsAddress"]);
  return {
    address,
    opsAddress,
    child,
    ended,
    log,
    async [Symbol.asyncDispose]() {
      child.kill("SIGTERM");
      await ended;
    },
  };
}
