import { Writable } from "node:stream";
import { type Channel, createChannel, createClient } from "nice-grpc";
import { type App, type AppParts, startApp } from "../../server/app.js";
import { loadConfig } from "../../server/config.js";
import {
  type SentimentServiceClient,
  SentimentServiceDefinition,
} from "../../server/gen/sentiment/v1/sentiment.js";
import { createLog } from "../../server/observe/log.js";

export interface RunningApp extends AsyncDisposable {
  readonly app: App;
  readonly channel: Channel;
  readonly client: SentimentServiceClient;
  /** Lines of the log so far, parsed. */
  readonly log: readonly Record<string, unknown>[];
}

interface RunningParts extends AppParts {
  /** Told of each line of the log, also before the app has started. */
  readonly onLine?: (line: string) => void;
}

/** The real app with the real models on a free port, and a client of it. */
export async function runApp(
  env: Readonly<Record<string, string>> = {},
  { onLine, ...parts }: RunningParts = {},
): Promise<RunningApp> {
  const log: Record<string, unknown>[] = [];
  const lines = new Writable({
    write: (line, _encoding, done) => {
      log.push(JSON.parse(String(line)));
      onLine?.(String(line));
      done();
    },
  });
  const config = loadConfig({
    GRPC_PORT: "0",
    HTTP_PORT: "0",
    // Most tests ask for what the model does, some of them over and over.
    ENABLE_CACHING: "false",
    // Nor do those with caches want other texts at the model than their own.
    WARM_UP_FILE: "/dev/null",
    ...env,
  });
  const app = await startApp(config, {
    log: createLog(config.logLevel, lines),
    probeMs: 0,
    ...parts,
  });
  const channel = createChannel(app.address);
  return {
    app,
    channel,
    client: createClient(SentimentServiceDefinition, channel),
    log,
    async [Symbol.asyncDispose]() {
      channel.close();
      await app[Symbol.asyncDispose]();
    },
  };
}
