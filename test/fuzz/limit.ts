/** REQUEST_TIMEOUT of the server that is fuzzed, in seconds. */
export const REQUEST_SECONDS = 10;

/** What takes longer has come to no end: a call has REQUEST_TIMEOUT, and machines have bad moments. */
export const LIMIT_MS = 30_000;
