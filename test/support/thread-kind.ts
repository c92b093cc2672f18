import { ServiceError } from "../../server/core/errors.js";
import type { ThreadKind } from "../../server/core/thread-kind.js";

/** Threads that run a script, of which nothing outlives a request. */
export const threadKind = <Request>(script: string): ThreadKind<Request> => ({
  entry: new URL(`data:text/javascript,${encodeURIComponent(script)}`),
  name: "some",
  depth: 1,
  takesAllCores: false,
  work: () => ({ lane: "", size: 1 }),
  lanesStay: false,
  leaves: () => undefined,
  mostLooks: () => Number.POSITIVE_INFINITY,
  isEndable: true,
  refused: (error) => new Error(error),
  lost: () => new ServiceError("BACKEND_DOWN", "lost"),
});
