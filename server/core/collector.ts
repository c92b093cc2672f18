import { setFlagsFromString } from "node:v8";

/**
 * V8 puts what mostly outlives the minor collections into the old generation at once. Of a server that is a mistake it does not find out: what one call makes there is
 * garbage when the call is over, but keeps alive all that the call made elsewhere until the next major collection, and so the share of what outlives the minor
 * ones stays as high. For all threads, and for what is compiled from then on: to be called at the start.
 */
export const makeAllThingsYoung = (): void =>
  setFlagsFromString("--no-allocation-site-pretenuring");
