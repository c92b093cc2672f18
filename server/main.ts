import { startApp } from "./app.js";
import { loadConfig } from "./config.js";
import { ServiceError, StartupError } from "./core/errors.js";

/** Ends with the first SIGTERM or SIGINT; a second one then meets the default handler and ends the process at once. */
function stopSignal(): Promise<void> {
  return new Promise((resolve) => {
    const stop = () => {
      for (const name of ["SIGTERM", "SIGINT"]) process.removeListener(name, stop);
      resolve();
    };
    for (const name of ["SIGTERM", "SIGINT"]) process.on(name, stop);
  });
}

try {
  const stopped = stopSignal();
  await using _app = await startApp(loadConfig(process.env));
  await stopped;
} catch (error) {
  // A ServiceError here: a worker died while it loaded a model.
  if (!(error instanceof StartupError || error instanceof ServiceError)) throw error;
  process.stderr.write(`sentiment: ${error.message}\n`);
  process.exitCode = 1;
}
