/** Fires at the first SIGINT. A second one meets the default handler, and ends the process at once. */
export function interruption(): AbortSignal {
  const interrupted = new AbortController();
  process.once("SIGINT", () => interrupted.abort());
  return interrupted.signal;
}

/** Ends when the signal fires, though the next item may never come. */
export function until<Item>(signal: AbortSignal, items: AsyncIterable<Item>): AsyncIterable<Item> {
  const source = items[Symbol.asyncIterator]();
  const done = { done: true, value: undefined } as const;
  let end = () => {};
  signal.addEventListener("abort", () => end(), { once: true });
  const next = () =>
    new Promise<IteratorResult<Item>>((resolve, reject) => {
      end = () => resolve(done);
      source.next().then(resolve, reject);
    });
  return {
    [Symbol.asyncIterator]: () => ({
      next: async () => (signal.aborted ? done : await next()),
      return: async () => {
        await source.return?.();
        return done;
      },
    }),
  };
}
