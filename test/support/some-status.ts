import type { ProcessStatus } from "../../server/observe/status.js";

/** Of a process that serves one model. */
export const someStatus = (different: Partial<ProcessStatus> = {}): ProcessStatus => ({
  started: "2026-11-25T10:00:00.000Z",
  reasons: [],
  draining: false,
  models: [
    {
      model: "sentiment_fast",
      tier: "fast",
      version: "1+triton.3fa9c2d1",
      digest: "3fa9c2d1aabb",
      loaded: true,
    },
  ],
  queued: { rows: 3, tokens: 60 },
  backends: [
    {
      backend: "triton",
      up: true,
      servers: [
        { url: "one:8001", up: true, breaker: "closed", underWay: 2 },
        { url: "two:8001", up: false, breaker: "open", underWay: 0 },
      ],
    },
  ],
  cache: { texts: 5, readings: 4, redis: { url: "redis://cache", state: "up" } },
  memory: { bytes: 100 * 2 ** 20, limitBytes: 4 * 2 ** 30 },
  ...different,
});
