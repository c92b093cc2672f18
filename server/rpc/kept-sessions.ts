import type { Http2Session } from "node:http2";
import { constants, type NodeGCPerformanceDetail, PerformanceObserver } from "node:perf_hooks";
import { heldAs } from "./node-internals.js";

/** Some 13 kB each. What many connections leave behind brings a major collection about before there are so many; twice as many are the most. */
const MOST_KEPT = 10_000;

/**
 * Keeps what Node holds of a connection that is over until all that its streams held has been collected: of two that are collected together, Node (24.21, 26.10)
 * may free the session first, and aborts the process when one of its streams still has headers that came in part. A client can bring that about.
 */
class KeptSessions {
  /** Closed since the last major collection, and before it: the streams of these may have been spared by a marking that was under way. */
  #kept: [object[], object[]] = [[], []];

  constructor() {
    new PerformanceObserver((list) => {
      const isMajor = (entry: object) =>
        (entry as { detail: NodeGCPerformanceDetail }).detail.kind ===
        constants.NODE_PERFORMANCE_GC_MAJOR;
      if (list.getEntries().some(isMajor)) this.#turn();
    }).observe({ entryTypes: ["gc"] });
  }

  add(native: object): void {
    const [recent] = this.#kept;
    recent.push(native);
    if (recent.length >= MOST_KEPT) this.#turn();
  }

  #turn(): void {
    this.#kept = [[], this.#kept[0]];
  }
}

let kept: KeptSessions | undefined;

/** To be called while the session is open. */
export function keepBeyondItsStreams(session: Http2Session): void {
  // Node forgets it when the session closes.
  const native = heldAs(session, "kHandle") as object | undefined;
  if (native === undefined) return;
  session.once("close", () => {
    kept ??= new KeptSessions();
    kept.add(native);
  });
}
