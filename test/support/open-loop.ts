import { setTimeout as sleep } from "node:timers/promises";

const TICK_MS = 2;

/**
 * Does `send` so often a second until the signal fires, with the place of each, however long it takes; resolves once all are over, with how many there
 * were. `send` must not reject.
 */
export async function openLoop(
  callsPerSecond: number,
  over: AbortSignal,
  send: (place: number) => Promise<void>,
): Promise<number> {
  const startedMs = performance.now();
  const underWay = new Set<Promise<void>>();
  let sent = 0;
  while (!over.aborted) {
    const due = ((performance.now() - startedMs) / 1000) * callsPerSecond;
    for (; sent < due; sent++) {
      const call = send(sent).finally(() => underWay.delete(call));
      underWay.add(call);
    }
    await sleep(TICK_MS);
  }
  await Promise.all(underWay);
  return sent;
}
