import cluster from "node:cluster";
import { startApp } from "./app.js";
import { loadConfig } from "./config.js";
import { setUpCollector } from "./core/collector.js";
import { messageOf, ServiceError, StartupError } from "./core/errors.js";
import { lastWords, STANDARD_OUTPUT } from "./core/last-words.js";
import { unlessStopped } from "./core/unless-stopped.js";
import { watchEventLoop } from "./core/watchdog.js";
import { runMember } from "./processes/member.js";
import { Primary } from "./processes/primary.js";

const SIGNALS = ["SIGTERM", "SIGINT"] as const;

/** Ends with the first SIGTERM or SIGINT; a second one then meets the default handler and ends the process at once, after `before`. */
function stopSignal(before?: () => void): Promise<void> {
  return new Promise((resolve) => {
    const end = (name: NodeJS.Signals) => {
      before?.();
      process.kill(process.pid, name);
    };
    const stop = () => {
      for (const name of SIGNALS) {
        process.removeListener(name, stop);
        // Only where there is something to do: the default reaches a process that is stuck too.
        if (before !== undefined) process.once(name, end);
      }
      resolve();
    };
    for (const name of SIGNALS) process.on(name, stop);
  });
}

setUpCollector();
// For the log; Node itself then tells of it on standard error, and ends the process with exit code 1.
process.on("uncaughtExceptionMonitor", (error, origin) =>
  lastWords(STANDARD_OUTPUT, {
    origin,
    err: { type: error.name, message: messageOf(error), stack: error.stack },
    msg: "the process ends over an error that nothing had expected",
  }),
);

try {
  const config = loadConfig(process.env);
  using _watchdog = watchEventLoop(config.watchdogSeconds);
  if (cluster.isWorker) {
    await runMember(config, stopSignal());
  } else if (config.processes > 1) {
    await using primary = new Primary(config);
    const stopped = stopSignal(() => primary.kill());
    await unlessStopped(primary.start(), stopped);
    await stopped;
  } else {
    const stopped = stopSignal();
    await using _app = await startApp(config);
    await stopped;
  }
} catch (error) {
  // A ServiceError here: a worker died while it loaded a model.
  if (!(error instanceof StartupError || error instanceof ServiceError)) throw error;
  process.stderr.write(`sentiment: ${error.message}\n`);
  process.exitCode = 1;
}
// All is closed. What still waits for a collector that hangs must not keep the process.
process.exit();
