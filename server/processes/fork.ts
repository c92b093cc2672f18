import cluster from "node:cluster";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer } from "node:net";
import { listenFault } from "../core/listen-fault.js";
import type { Forked } from "./supervised-process.js";

/** Starts this program once more, as a process that shares the ports of all the others. */
export function fork(): Forked {
  // Each connection goes to the next process: left to the kernel, the few that a gRPC client has might all go to one.
  cluster.schedulingPolicy = cluster.SCHED_RR;
  // Metrics have values that JSON has not.
  cluster.setupPrimary({ serialization: "advanced" });
  const worker = cluster.fork();
  const child = worker.process;
  const ended = Promise.withResolvers<string>();
  child.once("exit", (code, signal) => ended.resolve(signal ?? `exit code ${code}`));
  worker.on("error", (error) => {
    // Else it is of a message or a signal that did not reach it, and it goes on, or its end tells.
    if (child.pid === undefined) ended.resolve(error.message);
  });
  return {
    channel: {
      send: (message) => void child.send(message as object, undefined, {}, () => {}),
      listen: (onMessage) => void worker.on("message", onMessage),
    },
    ended: ended.promise,
    kill: () => void child.kill("SIGKILL"),
    cpuMs: () => cpuMsOf(child.pid),
  };
}

/** Linux counts CPU time in a hundredth of a second. */
const TICK_MS = 10;

function cpuMsOf(pid: number | undefined): number | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    // After the command's name, in parentheses: the state is field 3, user and system time are 14 and 15.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return (Number(fields[11]) + Number(fields[12])) * TICK_MS;
  } catch {
    return undefined;
  }
}

/**
 * The port that all processes will listen on: a free one for 0, which stays the same when they are replaced. Throws StartupError for a port
 * in use, before any model is loaded.
 */
export async function choosePort(address: string, port: number): Promise<number> {
  const server = createServer();
  server.listen(port, address);
  await once(server, "listening").catch((error: unknown) => {
    throw listenFault("GRPC_PORT", address, port, error);
  });
  const bound = server.address();
  const closed = once(server, "close");
  server.close();
  await closed;
  return typeof bound === "object" && bound !== null ? bound.port : port;
}
