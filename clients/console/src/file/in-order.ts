/** Runs `work` on up to `most` items at once and yields what it resolves to in the items' order; no more is taken from `source` than that. */
export async function* inOrder<Item, Done>(
  source: AsyncIterable<Item>,
  most: number,
  work: (item: Item) => Promise<Done>,
): AsyncGenerator<Done> {
  const underWay: Promise<Done>[] = [];
  for await (const item of source) {
    const done = work(item);
    // It is heard of in its turn.
    done.catch(() => {});
    underWay.push(done);
    const first = underWay.length === most ? underWay.shift() : undefined;
    if (first !== undefined) yield await first;
  }
  for (const done of underWay) yield await done;
}
