/** How long it works before the window may take events and draw. */
export const sliceMs = 5;

/** Maps a list piece by piece, so that the hand never waits for long work. */
export async function inSlices<T, R>(list: readonly T[], map: (item: T) => R): Promise<R[]> {
  const results: R[] = [];
  let end = performance.now() + sliceMs;
  for (const item of list) {
    if (performance.now() >= end) {
      await nextTask();
      end = performance.now() + sliceMs;
    }
    results.push(map(item));
  }
  return results;
}

/** Resolves after what waits in the window, e.g. events and frames, had its turn. */
export function nextTask(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve));
}
