import * as v from 'valibot';
import { inspectImage, loadFile } from '../../../datasets/decode.ts';
import type { ImageFacts } from '../../../datasets/image-facts.ts';
import { thumbnail } from '../../../datasets/picture-thumbnail.ts';
import { pictureTile } from '../../../datasets/picture-tiles.ts';
import { pictureTask } from '../task.ts';
import { tilePlace } from '../task-inputs.ts';

const chosenFile = { path: v.string(), key: v.string(), cacheFolder: v.string() };

/** What is known of chosen files, by content; the newest. */
const known = new Map<string, Promise<ImageFacts>>();
const mostKnown = 2000;

export const fileTile = pictureTask({
  schema: v.strictObject({ ...chosenFile, ...tilePlace }),
  run: async ({ path, key, cacheFolder, ...place }, signal) => {
    const source = { path, sha256: key, facts: await factsOf(path, key) };
    const request = { ...place, low: 0, high: 255 };
    return { type: 'image/png', bytes: await pictureTile(source, cacheFolder, request, signal) };
  },
});

export const fileThumb = pictureTask({
  schema: v.strictObject({ ...chosenFile, sizePx: v.number() }),
  run: async ({ path, key, cacheFolder, sizePx }) => {
    const source = { path, sha256: key, facts: await factsOf(path, key) };
    return { type: 'image/jpeg', bytes: await thumbnail(source, cacheFolder, sizePx) };
  },
});

function factsOf(path: string, key: string): Promise<ImageFacts> {
  const found = known.get(key);
  if (found !== undefined) return found;
  const [oldest] = known.keys();
  if (known.size >= mostKnown && oldest !== undefined) known.delete(oldest);
  const facts = loadFile(path).then(inspectImage);
  known.set(key, facts);
  return facts;
}
