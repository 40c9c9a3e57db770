import type { Topic } from '../../src-main/contract/jobs.ts';
import { sentenceOf } from '../client/client.ts';
import { live } from './live.svelte.ts';

/** An answer of main that asks again when its topics change. */
export interface Query<T> {
  /** The newest answer; undefined before the first. */
  readonly data: T | undefined;
  /** Why there is none, as a sentence. */
  readonly error: string | undefined;
  readonly isLoading: boolean;
  readonly refresh: () => void;
}

/**
 * Asks main for something and keeps it fresh. Call it while a component is created; `ask` may read
 * runes, and is asked again when they change. Only the newest answer counts.
 */
export function createQuery<T>(topics: readonly Topic[], ask: () => Promise<T>): Query<T> {
  let data: T | undefined = $state.raw();
  let error: string | undefined = $state();
  let isLoading = $state(true);
  let newest = 0;
  let isAsking = false;
  let isStale = false;

  async function settle(answer: Promise<T>): Promise<void> {
    const number = ++newest;
    isAsking = true;
    try {
      const value = await answer;
      if (number !== newest) return;
      data = value;
      error = undefined;
    } catch (fault) {
      if (number !== newest) return;
      error = sentenceOf(fault);
    }
    isAsking = false;
    isLoading = false;
    if (!isStale) return;
    isStale = false;
    void settle(ask());
  }

  /** While one answer is on its way, any number of changes asks once more, afterwards. */
  function refresh(): void {
    if (isAsking) isStale = true;
    else void settle(ask());
  }

  $effect.pre(() => {
    void settle(ask()); // reads what `ask` depends on
  });
  $effect.pre(() => live.listen(topics, refresh));

  return {
    get data() {
      return data;
    },
    get error() {
      return error;
    },
    get isLoading() {
      return isLoading;
    },
    refresh,
  };
}
