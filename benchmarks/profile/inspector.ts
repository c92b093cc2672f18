import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";

/** A .cpuprofile, as the Chrome DevTools protocol defines it (Profiler.Profile). */
export interface Profile {
  readonly nodes: readonly {
    readonly id: number;
    readonly callFrame: {
      functionName: string;
      url: string;
      /** From 0. */
      lineNumber: number;
    };
  }[];
  /** Ids of nodes: what ran at each look. */
  readonly samples: readonly number[];
  /** Microseconds since the look before. */
  readonly timeDeltas: readonly number[];
}

export interface Inspector extends AsyncDisposable {
  /** Looks every millisecond at what the main thread does. */
  profile(ms: number): Promise<Profile>;
}

const EVERY_US = 1000;

/** Of a Node process that was started with `--inspect=127.0.0.1:<port>`. */
export async function inspect(port: number): Promise<Inspector> {
  const targets = (await (await fetch(`http://127.0.0.1:${port}/json/list`)).json()) as {
    readonly webSocketDebuggerUrl: string;
  }[];
  const socket = new WebSocket(targets[0]?.webSocketDebuggerUrl ?? "");
  await once(socket, "open");
  const waiting = new Map<number, (result: unknown) => void>();
  socket.addEventListener("message", ({ data }) => {
    const { id, result } = JSON.parse(String(data));
    waiting.get(id)?.(result);
    waiting.delete(id);
  });
  let asked = 0;
  const ask = (method: string, params = {}) =>
    new Promise<unknown>((resolve) => {
      const id = ++asked;
      waiting.set(id, resolve);
      socket.send(JSON.stringify({ id, method, params }));
    });
  return {
    async profile(ms) {
      await ask("Profiler.enable");
      await ask("Profiler.setSamplingInterval", { interval: EVERY_US });
      await ask("Profiler.start");
      await sleep(ms);
      const { profile } = (await ask("Profiler.stop")) as { profile: Profile };
      for (const { callFrame } of profile.nodes) callFrame.url = withinTree(callFrame.url);
      return profile;
    },
    async [Symbol.asyncDispose]() {
      const closed = once(socket, "close");
      socket.close();
      await closed;
    },
  };
}

/** As seen from the project's folder: where that lies is nobody's business. */
const withinTree = (url: string) =>
  url.replace(`file://${process.cwd()}/`, "").replace(`${process.cwd()}/`, "");
