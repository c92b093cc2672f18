import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";

export interface Bridge extends AsyncDisposable {
  readonly port: number;
  readonly pid: number;
  /** As whoever takes it away at once; resolves when it is gone. */
  kill(): Promise<void>;
}

/** The REST bridge as `make gateway` builds it, on a free port, or on `port`, before the server at `front` (host:port). */
export async function startBridge(front: string, port = 0): Promise<Bridge> {
  const env = { GATEWAY_PORT: String(port), SENTIMENT_ADDRESS: front, DRAIN_DELAY: "0" };
  const child = spawn("build/sentiment-gateway", {
    env: { ...process.env, ...env },
    stdio: ["ignore", "pipe", "inherit"],
  });
  const gone = once(child, "exit");
  const end = async (signal: NodeJS.Signals) => {
    child.kill(signal);
    await gone;
  };
  const address = await new Promise<string>((resolve, reject) => {
    // All of its log is read: a pipe that is full would hold the bridge up.
    createInterface({ input: child.stdout }).on("line", (line) => {
      const said = JSON.parse(line);
      if (said.address !== undefined) resolve(said.address);
    });
    gone.then(() => reject(new Error("the bridge ended before it was ready")), reject);
  });
  return {
    port: Number(address.split(":").at(-1)),
    pid: child.pid ?? 0,
    kill: () => end("SIGKILL"),
    [Symbol.asyncDispose]: () => end("SIGTERM"),
  };
}
