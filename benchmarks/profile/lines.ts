import type { Profile } from "./inspector.js";

interface Line {
  /** Of the time that the thread is busy, 0 to 1; what it calls left out. */
  readonly share: number;
  readonly name: string;
  /** File and line; what V8 itself does has none. */
  readonly where: string;
}

/** The event loop rests while inference has all cores: in Atomics.wait, which is not told of by itself in code that V8 has optimized. */
const isRest = (name: string, url: string): boolean =>
  (name === "wait" && url === "") || (name === "sleep" && url.endsWith("core/moderation.js"));

/** Functions by the time that they take themselves, most first; and how much of all the time the thread is busy, 0 to 1. */
export function linesOf({ nodes, samples, timeDeltas }: Profile): {
  readonly busy: number;
  readonly lines: readonly Line[];
} {
  const frames = new Map(nodes.map(({ id, callFrame }) => [id, callFrame]));
  const spent = new Map<string, number>();
  let all = 0;
  let idle = 0;
  for (const [place, id] of samples.entries()) {
    // Until the next look. Before the first one the profiler made itself ready: of nobody's time.
    const us = timeDeltas[place + 1] ?? 0;
    const { functionName = "", url = "", lineNumber = 0 } = frames.get(id) ?? {};
    all += us;
    if (functionName === "(idle)" || isRest(functionName, url)) {
      idle += us;
      continue;
    }
    const key = JSON.stringify([functionName || "(anonymous)", url && `${url}:${lineNumber + 1}`]);
    spent.set(key, (spent.get(key) ?? 0) + us);
  }
  const busyUs = Math.max(1, all - idle);
  const lines = [...spent].map(([key, us]): Line => {
    const [name, where] = JSON.parse(key);
    return { share: us / busyUs, name, where };
  });
  return {
    busy: busyUs / Math.max(1, all),
    lines: lines.sort((one, other) => other.share - one.share),
  };
}
