/** Whether something the user did is still on its way to the disk. */
class Storing {
  #pending = $state(0);

  get isBusy(): boolean {
    return this.#pending > 0;
  }

  /** Counts a write until it has settled. */
  async during<T>(write: Promise<T>): Promise<T> {
    this.#pending += 1;
    try {
      return await write;
    } finally {
      this.#pending -= 1;
    }
  }
}

export const storing = new Storing();
