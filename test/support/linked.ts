import type { Channel } from "../../server/processes/link.js";

/** The two ends of a channel inside one process: what one sends the other hears a turn later, cloned as between processes. */
export function linkedChannels(): readonly [Channel, Channel] {
  const listeners: ((message: unknown) => void)[][] = [[], []];
  const end = (own: 0 | 1): Channel => ({
    send: (message) => {
      const copy = structuredClone(message);
      setImmediate(() => {
        for (const hear of listeners[1 - own] ?? []) hear(copy);
      });
    },
    listen: (onMessage) => void listeners[own]?.push(onMessage),
  });
  return [end(0), end(1)];
}
