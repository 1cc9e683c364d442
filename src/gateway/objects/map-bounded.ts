/** Maps items in order, at most `concurrency` of them at a time. Rejects with the first failure and begins no more. */
export async function mapBounded<T, R>(
  items: readonly T[],
  concurrency: number,
  map: (item: T) => Promise<R>,
): Promise<R[]> {
  const results: R[] = [];
  let next = 0;
  let failed = false;
  const work = async (): Promise<void> => {
    for (let at = next++; at < items.length && !failed; at = next++) {
      try {
        // `at` is below the length, so the item is there.
        results[at] = await map(items[at] as T);
      } catch (error) {
        failed = true;
        throw error;
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(concurrency, items.length) }, work));
  return results;
}
