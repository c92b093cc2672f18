import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";

export interface Bridge extends AsyncDisposable {
  readonly port: number;
  readonly pid: number;
}

/** The REST bridge as `make gateway` builds it, on a free port before the server at `front` (host:port). */
export async function startBridge(front: string): Promise<Bridge> {
  const env = { GATEWAY_PORT: "0", SENTIMENT_ADDRESS: front, DRAIN_DELAY: "0" };
  const child = spawn("build/sentiment-gateway", {
    env: { ...process.env, ...env },
    stdio: ["ignore", "pipe", "inherit"],
  });
  for await (const line of createInterface({ input: child.stdout })) {
    const { address } = JSON.parse(line);
    if (address === undefined) continue;
    // Nobody reads its log: a pipe that is full would hold the bridge up.
    child.stdout.resume();
    return {
      port: Number(address.split(":").at(-1)),
      pid: child.pid ?? 0,
      async [Symbol.asyncDispose]() {
        child.kill("SIGTERM");
        await once(child, "exit");
      },
    };
  }
  throw new Error("the bridge ended before it was ready");
}
