type Listener = (command: string) => void;

/** Commands that are given outside of the page, e.g. in the menu bar; the page runs them by their id. */
export class HostCommands {
  readonly #listeners = new Set<Listener>();

  send(command: string): void {
    for (const listener of this.#listeners) listener(command);
  }

  /** Every command from now on. */
  async *watch(signal?: AbortSignal): AsyncGenerator<string> {
    const waiting: string[] = [];
    let wake: () => void = () => undefined;
    const listener = (command: string): void => {
      waiting.push(command);
      wake();
    };
    const onAbort = (): void => wake();
    this.#listeners.add(listener);
    signal?.addEventListener('abort', onAbort);
    try {
      while (signal?.aborted !== true) {
        const command = waiting.shift();
        if (command !== undefined) yield command;
        else await new Promise<void>((resolve) => (wake = resolve));
      }
    } finally {
      signal?.removeEventListener('abort', onAbort);
      this.#listeners.delete(listener);
    }
  }
}
