import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import type { Garble } from "./garbage.js";

/** Between a client and a server on this machine: TCP that can be slow, and cut off. */
export interface SlowProxy extends AsyncDisposable {
  readonly port: number;
  /** Milliseconds by which answers come later, from now on. */
  delay(ms: number): Promise<void>;
  /** Connections stay open and carry nothing, and so do those that are made until it is mended. */
  cut(): Promise<void>;
  mend(): Promise<void>;
}

/** One that can also answer instead of the server. */
export interface LyingProxy extends SlowProxy {
  /** What becomes of each piece of an answer from now on; undefined: nothing. */
  garble(change: Garble | undefined): void;
}

/** One in this process. What it cut off carries nothing after it is mended either, as behind a router that has forgotten it. */
export async function startSlowProxy(targetPort: number): Promise<LyingProxy> {
  const sockets = new Set<Socket>();
  const live = new Set<Socket>();
  let delayMs = 0;
  let isCut = false;
  let changed: Garble = (answer) => answer;

  const kept = (socket: Socket) => {
    sockets.add(socket);
    return socket.on("error", () => {}).on("close", () => sockets.delete(socket));
  };
  const server = createServer((near) => {
    const far = kept(connect({ port: targetPort, host: "127.0.0.1", noDelay: true }));
    kept(near.setNoDelay());
    if (!isCut) live.add(near);
    near.on("data", (bytes) => live.has(near) && far.write(bytes));
    far.on("data", (bytes) => {
      if (live.has(near)) setTimeout(() => near.write(changed(bytes)), delayMs);
    });
    near.on("close", () => far.destroy());
    far.on("close", () => live.delete(near) && near.destroy());
  });
  await once(server.listen(0, "127.0.0.1"), "listening");

  return {
    port: (server.address() as AddressInfo).port,
    async delay(ms) {
      delayMs = ms;
    },
    async cut() {
      isCut = true;
      live.clear();
    },
    async mend() {
      isCut = false;
    },
    garble(change) {
      changed = change ?? ((answer) => answer);
    },
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise((closed) => server.close(closed));
    },
  };
}
