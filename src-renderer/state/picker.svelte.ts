import type { PickPurpose } from '../../src-main/contract/host.ts';
import type { Place } from '../../src-main/contract/values.ts';
import { bridge } from '../client/bridge.ts';
import { client } from '../client/client.ts';
import { attempt } from './attempt.ts';

export interface PickRequest {
  readonly purpose: PickPurpose;
  readonly kind: 'folder' | 'files';
}

/** The picker of a page without system dialogs; the shell shows it while something is asked. */
class Picker {
  request: PickRequest | undefined = $state.raw();
  #answer: ((places: readonly Place[] | null) => void) | undefined;

  ask(request: PickRequest): Promise<readonly Place[] | null> {
    this.answer(null);
    this.request = request;
    return new Promise((resolve) => (this.#answer = resolve));
  }

  answer(places: readonly Place[] | null): void {
    this.request = undefined;
    this.#answer?.(places);
    this.#answer = undefined;
  }
}

export const picker = new Picker();

/** Lets the user choose a folder or files; null when nothing was chosen. */
export async function pickPlaces(request: PickRequest): Promise<readonly Place[] | null> {
  if (bridge === undefined) return picker.ask(request);
  return (await attempt(() => client.host.pick(request))) ?? null;
}
