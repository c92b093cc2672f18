import { once } from "node:events";
import { createServer, type Socket } from "node:net";

/** Accepts connections on a port, and says nothing. */
export interface SilentListener extends AsyncDisposable {
  readonly port: number;
  readonly connections: number;
  /** Gives the port up, and keeps its connections. */
  stop(): void;
}

/** `port` 0 takes a free one. */
export async function silentListener(port = 0): Promise<SilentListener> {
  const sockets: Socket[] = [];
  const server = createServer((socket) => {
    sockets.push(socket);
    socket.on("error", () => {});
  });
  server.listen(port, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  return {
    port: typeof address === "object" && address !== null ? address.port : port,
    get connections() {
      return sockets.length;
    },
    stop() {
      server.close();
    },
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}
