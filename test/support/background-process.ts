import { spawn } from "node:child_process";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";

/** Characters of what it wrote that an error shows. */
const LOG_SHOWN = 2000;
const POLL_MS = 50;

export interface BackgroundProcess {
  /** Resolves once `isReady` does so with true. When it ends before, or takes longer, it is killed, and the error tells the end of its log. */
  until(isReady: () => Promise<boolean>, limitMs: number): Promise<void>;
  signal(name: NodeJS.Signals): void;
  /** At once; resolves when it has ended. */
  kill(): Promise<void>;
}

/** A process that does not outlive this one, however that ends. `endBy` ends it at once: another signal than SIGKILL for one that has to end others. */
export function startInBackground(
  command: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv = process.env,
  endBy: NodeJS.Signals = "SIGKILL",
): BackgroundProcess {
  const child = spawn(command, args, { stdio: ["ignore", "ignore", "pipe"], env });
  let log = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    log = (log + text).slice(-LOG_SHOWN);
  });
  const endWithUs = () => child.kill(endBy);
  process.once("exit", endWithUs);
  // Also when it could not be started.
  const ended = once(child, "exit").catch(() => {});
  let hasEnded = false;
  void ended.then(() => {
    hasEnded = true;
  });
  const kill = async () => {
    child.kill(endBy);
    await ended;
    process.removeListener("exit", endWithUs);
  };
  return {
    async until(isReady, limitMs) {
      const deadlineMs = performance.now() + limitMs;
      while (!(await isReady())) {
        if (hasEnded || performance.now() > deadlineMs) {
          await kill();
          throw new Error(`${command} is not ready: ${log}`);
        }
        await sleep(POLL_MS);
      }
    },
    signal: (name) => child.kill(name),
    kill,
  };
}
