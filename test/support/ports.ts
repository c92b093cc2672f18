import { once } from "node:events";
import { connect, createServer } from "node:net";

/** From 32768 on the kernel gives ports to outgoing connections, and one of those could be quicker. */
const LEAST = 20_000;
const END = 32_768;

/** Different ports of the loopback address that nobody listens on. */
export async function freePorts(count: number): Promise<readonly number[]> {
  const found = new Set<number>();
  while (found.size < count) {
    const port = LEAST + Math.floor(Math.random() * (END - LEAST));
    if (await isFree(port)) found.add(port);
  }
  return [...found];
}

/** Rejects when somebody listens on one of them: what is started there would look as if it were ready. */
export async function refuseTakenPorts(ports: readonly number[]): Promise<void> {
  for (const port of ports) {
    if (!(await isFree(port))) throw new Error(`port ${port} is in use on 127.0.0.1`);
  }
}

/** Whether somebody listens there. */
export async function listens(port: number): Promise<boolean> {
  const socket = connect({ port, host: "127.0.0.1" });
  try {
    await once(socket, "connect");
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  try {
    await once(server.listen(port, "127.0.0.1"), "listening");
    return true;
  } catch {
    return false;
  } finally {
    server.close();
  }
}
