import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { type ServerProcess, startServer } from "../../../../test/support/server-process.ts";

/** Quick to start: the other tiers load when they are asked for. */
const QUICK = { PREFETCH_MODELS: "false", DEFAULT_TIER: "fast", WARM_UP_FILE: "/dev/null" };

export interface Bridge extends AsyncDisposable {
  readonly url: string;
}

/** The binary that `make gateway` built, on a free port. */
export async function startBridge(env: Readonly<Record<string, string>>): Promise<Bridge> {
  const child = spawn("build/sentiment-gateway", {
    env: { GATEWAY_PORT: "0", DRAIN_DELAY: "0", ...env },
    stdio: ["ignore", "pipe", "inherit"],
  });
  const ended = once(child, "close");
  const address = await new Promise<string>((resolve, reject) => {
    createInterface({ input: child.stdout }).on("line", (line) => {
      const { address } = JSON.parse(line);
      if (address !== undefined) resolve(address);
    });
    ended.then(() => reject(new Error("the bridge ended")), reject);
  });
  return {
    url: `http://${address}/`,
    async [Symbol.asyncDispose]() {
      child.kill("SIGTERM");
      await ended;
    },
  };
}

/** What all flows share: bridges, each before a server of its own. */
export interface World extends AsyncDisposable {
  /** Before a server without keys, with its metrics. */
  readonly open: Bridge;
  /** Before a server that wants keys, without metrics. */
  readonly keyed: Bridge;
  /** A key of that server; with a quota, in tokens a minute, where one is named. */
  readonly newKey: (tokensPerMinute?: number) => Promise<string>;
}

export const startQuickServer = (env: Readonly<Record<string, string>> = {}) =>
  startServer({ ...QUICK, ...env });

export async function startWorld(): Promise<World> {
  const parts = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), "console-"));
  parts.defer(() => rm(folder, { recursive: true }));
  const file = join(folder, "keys.json");
  let keys = 0;
  const newKey = async (tokensPerMinute?: number) => {
    const quota =
      tokensPerMinute === undefined ? [] : ["--tokens-per-minute", `${tokensPerMinute}`];
    const args = ["dist/server/keys-cli.js", "new", "--name", `key-${++keys}`, "--file", file];
    const key = execFileSync("node", [...args, ...quota], {
      encoding: "utf8",
      stdio: "pipe",
    }).trim();
    // The server looks at the file once a second.
    await new Promise((resolve) => setTimeout(resolve, 1500));
    return key;
  };
  await newKey();
  const before = async (server: ServerProcess, env: Readonly<Record<string, string>> = {}) =>
    parts.use(await startBridge({ SENTIMENT_ADDRESS: server.address, ...env }));
  const openServer = parts.use(await startQuickServer());
  const keyedServer = parts.use(await startQuickServer({ API_KEYS_FILE: file }));
  const open = await before(openServer, {
    SENTIMENT_METRICS_URL: `http://${openServer.opsAddress}/metrics`,
  });
  const keyed = await before(keyedServer);
  return { open, keyed, newKey, [Symbol.asyncDispose]: () => parts.disposeAsync() };
}
