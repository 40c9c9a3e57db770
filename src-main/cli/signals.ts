const stopSignals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** Calls `onStop` for Ctrl-C and the like while `work` lasts. */
export async function watchingSignals<T>(onStop: () => void, work: () => Promise<T>): Promise<T> {
  for (const signal of stopSignals) process.on(signal, onStop);
  try {
    return await work();
  } finally {
    for (const signal of stopSignals) process.off(signal, onStop);
  }
}

/** Waits for Ctrl-C and the like. */
export function nextStop(): Promise<void> {
  return new Promise((resolve) => {
    const stop = (): void => {
      for (const signal of stopSignals) process.off(signal, stop);
      resolve();
    };
    for (const signal of stopSignals) process.on(signal, stop);
  });
}

/** Hands `work` a signal that Ctrl-C aborts. */
export function abortOnSignal<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController();
  return watchingSignals(
    () => controller.abort(),
    () => work(controller.signal),
  );
}
