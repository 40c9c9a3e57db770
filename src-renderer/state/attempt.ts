import { sentenceOf } from '../client/client.ts';
import { toasts } from './toasts.svelte.ts';

/** Does something for the user; a failure is told as a toast. @returns undefined when it failed */
export async function attempt<T>(work: () => Promise<T>): Promise<T | undefined> {
  try {
    return await work();
  } catch (error) {
    toasts.show({ tone: 'danger', text: sentenceOf(error) });
    return undefined;
  }
}
