/**
 * Runs `work` on each item as it comes and yields results as they are ready, in any order. An item takes so many places, of which at most `limit` are taken by items that
 * are under way or wait to be taken, and by the last one that came: a reader that stops taking stops the reading of `items` too. `work` must not reject.
 * Throws what `items` throws, after the results before it. When the reader leaves, `items` is read no further.
 * `held` is given back when it is over: by a generator of its own around this one each result would pass one more.
 */
export async function* outOfOrder<Item, Result>(
  items: AsyncIterable<Item>,
  limit: number,
  work: (item: Item) => Promise<Result>,
  placesOf: (item: Item) => number = () => 1,
  held?: Disposable,
): AsyncGenerator<Result, void, undefined> {
  using _held = held;
  const results: { readonly result: Result; readonly places: number }[] = [];
  let open = 0;
  let left = false;
  let ended: { readonly error?: unknown } | undefined;
  const changed = createWaiter();
  const taken = createWaiter();

  const start = (item: Item) => {
    const places = placesOf(item);
    open += places;
    void work(item).then((result) => {
      results.push({ result, places });
      changed.wake();
    });
  };
  const pump = async () => {
    for await (const item of items) {
      start(item);
      while (open >= limit && !left) await taken.wait();
      if (left) return;
    }
  };
  const end = (how: { readonly error?: unknown }) => {
    ended = how;
    changed.wake();
  };

  pump().then(
    () => end({}),
    (error: unknown) => end({ error }),
  );
  try {
    while (ended === undefined || open > 0) {
      const ready = results.shift();
      if (ready === undefined) await changed.wait();
      else {
        open -= ready.places;
        taken.wake();
        yield ready.result;
      }
    }
    if ("error" in ended) throw ended.error;
  } finally {
    left = true;
    taken.wake();
  }
}

/** One side waits, the other wakes it. A wake that nobody waits for counts for the next wait. */
function createWaiter() {
  let woken = false;
  let resume = () => {};
  return {
    wake: () => {
      woken = true;
      resume();
    },
    wait: async () => {
      if (!woken) {
        await new Promise<void>((resolve) => {
          resume = resolve;
        });
      }
      woken = false;
    },
  };
}
