import { setTimeout as sleep } from "node:timers/promises";

const POLL_MS = 100;

/** Resolves once the check does; after the limit it rejects as the last check did. */
export async function eventually(check: () => Promise<void>, limitMs: number): Promise<void> {
  const deadlineMs = performance.now() + limitMs;
  for (;;) {
    try {
      return await check();
    } catch (error) {
      if (performance.now() > deadlineMs) throw error;
    }
    await sleep(POLL_MS);
  }
}
