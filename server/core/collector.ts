import { setFlagsFromString } from "node:v8";

/** How V8 collects garbage, for all threads. Code that is compiled already keeps to what held then: to be called at the start. */
export function setUpCollector(): void {
  // V8 puts what mostly outlives the minor collections into the old generation at once. Of a server that is a mistake it does not find out: what one call makes
  // there is garbage when the call is over, but keeps alive all that the call made elsewhere until the next major collection, and so the share of what outlives
  // the minor ones stays as high.
  setFlagsFromString("--no-allocation-site-pretenuring");
  // V8 collects in a quiet moment when four fifths of the young generation are full. The rest is first used by some rush hours later: memory grows for no reason.
  setFlagsFromString("--no-minor-gc-task");
}

/**
 * Whether V8 gives as much memory back as it can when it collects after a quiet minute. It forgets the shapes of objects then that only calls have, and throws away the
 * code that was compiled for them: the next 12,000 calls take up to twice the time. Else it collects all the same, but keeps pages that are free now for itself.
 */
export function giveBackWhenQuiet(gives: boolean): void {
  setFlagsFromString(`--${gives ? "" : "no-"}memory-reducer-favors-memory`);
}
