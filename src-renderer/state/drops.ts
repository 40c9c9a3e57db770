import * as v from 'valibot';
import { place, type Place } from '../../src-main/contract/values.ts';
import { bridge } from '../client/bridge.ts';
import { toasts } from './toasts.svelte.ts';

const answerSchema = v.object({ file: place });
const refusalSchema = v.object({ message: v.string() });

/**
 * Places of what was dropped. A browser tells no paths: there, images are handed over one by one,
 * and folders have to be chosen. What cannot be taken is told as a toast.
 */
export async function placesOfDrop(data: DataTransfer): Promise<readonly Place[]> {
  // The list is emptied when the event is over, so it is read before anything is awaited.
  const files = [...data.files];
  const hasFolder = [...data.items].some((item) => item.webkitGetAsEntry()?.isDirectory === true);
  if (bridge !== undefined) return bridge.placesOf(files);
  if (hasFolder) {
    toasts.show({
      tone: 'warning',
      text: 'A browser does not tell where a dropped folder is. Choose it with the button instead.',
    });
    return [];
  }
  const drop = crypto.randomUUID();
  const places: Place[] = [];
  for (const file of files) {
    const taken = await handOver(file, drop);
    if (taken !== undefined) places.push(taken);
  }
  return places;
}

/** True while files, not text, are dragged over the window. */
export function carriesFiles(event: DragEvent): boolean {
  return event.dataTransfer?.types.includes('Files') === true;
}

async function handOver(file: File, drop: string): Promise<Place | undefined> {
  const query = new URLSearchParams({ drop, name: file.name });
  const response = await fetch(`/drop?${query.toString()}`, { method: 'POST', body: file });
  const answer: unknown = await response.json().catch(() => undefined);
  if (response.ok) return v.parse(answerSchema, answer).file;
  const refusal = v.safeParse(refusalSchema, answer);
  const text = refusal.success ? refusal.output.message : `${file.name} could not be taken.`;
  toasts.show({ tone: 'danger', text });
  return undefined;
}
