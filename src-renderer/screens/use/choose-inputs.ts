import { client } from '../../client/client.ts';
import { attempt } from '../../state/attempt.ts';
import { pickPlaces } from '../../state/picker.svelte.ts';

/** Lets the user choose a folder or files to predict. */
export async function chooseInputs(kind: 'folder' | 'files'): Promise<void> {
  const places = (await pickPlaces({ purpose: 'input', kind })) ?? [];
  await takeInputs(places.map(({ placeId }) => placeId));
}

/** Takes chosen or dropped files and folders as what is predicted. */
export async function takeInputs(placeIds: readonly string[]): Promise<void> {
  if (placeIds.length === 0) return;
  await attempt(() => client.predictions.choose({ source: 'places', placeIds: [...placeIds] }));
}
