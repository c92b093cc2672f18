/** What came of it, kept for later. */
export function settled<T>(make: () => T): PromiseSettledResult<T> {
  try {
    return { status: "fulfilled", value: make() };
  } catch (reason) {
    return { status: "rejected", reason };
  }
}

/** Throws why there is none. */
export function resultOf<T>(outcome: PromiseSettledResult<T>): T {
  if (outcome.status === "rejected") throw outcome.reason;
  return outcome.value;
}
