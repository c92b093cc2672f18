import { addNewKey } from "../../server/rpc/keys/new-key.js";
import { keyFolder } from "../support/key-folder.js";
import { scratchFolder } from "../support/scratch-folder.js";
import { type ServerProcess, startServer } from "../support/server-process.js";
import { REQUEST_SECONDS } from "./limit.js";
import type { Keys } from "./plan.js";

export interface FuzzedServer extends AsyncDisposable {
  readonly server: ServerProcess;
  readonly keys: Keys;
  /** Of the canary, who has a holder's part of the server for itself. */
  readonly canaryKey: string;
  /** Lines of its log that tell of a fault of its own, so far. */
  faults(): readonly string[];
}

/** What died, or had to be ended. */
const FAULT = "inference worker";
const ERRORS = new Set(["error", "fatal"]);

/** The server as `make run` starts it, with keys, and all that a case may do to it. */
export async function startFuzzedServer(): Promise<FuzzedServer> {
  await using opened = new AsyncDisposableStack();
  const { file } = opened.use(await keyFolder());
  const { path } = opened.use(await scratchFolder());
  const admin = await addNewKey(file, "admin", ["analyze", "admin"]);
  const analyze = await addNewKey(file, "analyze", ["analyze"]);
  const canaryKey = await addNewKey(file, "canary", ["analyze"]);
  const server = opened.use(
    await startServer({
      API_KEYS_FILE: file,
      PROFILE_DIR: path,
      WARM_UP_FILE: "/dev/null",
      REQUEST_TIMEOUT: String(REQUEST_SECONDS),
      LOG_SAMPLE: "0",
    }),
  );
  const owned = opened.move();
  return {
    server,
    keys: { admin, analyze },
    canaryKey,
    faults: () =>
      server.log
        .filter(({ level, msg }) => ERRORS.has(String(level)) || msg === FAULT)
        .map((line) => JSON.stringify(line)),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}
