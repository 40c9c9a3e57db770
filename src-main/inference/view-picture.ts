import { encodePicture } from '../datasets/encode.ts';
import type { ImageFacts } from '../datasets/image-facts.ts';
import { cutTiles } from '../datasets/tile-cut.ts';
import { compileFunction, type CompiledFunction } from '../graph/compile.ts';
import { CPU } from '../graph/types.ts';
import { defined } from '../lib/errors.ts';
import { imagenetMean, imagenetStd } from '../nn/image-ops.ts';
import { augmentViews } from '../pretrain/augment.ts';
import { ofViews } from '../pretrain/two-views.ts';
import type { PretrainOptions } from '../pretrain/config.ts';
import { drawnPair, tileOf } from '../pretrain/view-pairs.ts';
import { viewSpecs } from '../pretrain/views.ts';

/** Which pair of which image. */
export interface ViewRequest {
  readonly path: string;
  readonly facts: ImageFacts;
  readonly widthPx: number;
  readonly heightPx: number;
  readonly options: PretrainOptions;
  readonly seed: number;
  readonly pair: number;
}

const keptFunctions = 4;
const functions = new Map<string, Promise<CompiledFunction>>();
let lastTile: { readonly key: string; readonly rgb: Promise<Uint8Array> } | undefined;

/**
 * View 1 and view 2 of a pair side by side as a PNG file, made by the augmentation of the training.
 * @throws AppError `images.*`, CancelledError
 */
export async function viewPair(request: ViewRequest, signal: AbortSignal): Promise<Uint8Array> {
  const { options } = request;
  const { valid } = tileOf(request, options, request.seed);
  const { inputs } = drawnPair(options, valid, request);
  const augment = await augmentation(options);
  const images = await tilePixels(request, signal);
  const outputs = await augment.run({}, { images, ...inputs });
  const size = options.cropPx;
  const data = new Uint8Array(size * 2 * size * 3);
  ['view1', 'view2'].forEach((name, view) => {
    const pixels = defined(outputs[name], name).data; // [1, size, size, 3], normalised
    for (let i = 0; i < pixels.length; i++) {
      const channel = i % 3;
      const column = Math.floor(i / 3) % size;
      const row = Math.floor(i / 3 / size);
      const value = (pixels[i] ?? 0) * (imagenetStd[channel] ?? 1) + (imagenetMean[channel] ?? 0);
      data[(row * 2 * size + view * size + column) * 3 + channel] = Math.round(
        255 * Math.min(1, Math.max(0, value)),
      );
    }
  });
  return encodePicture({ data, widthPx: 2 * size, heightPx: size }, 'png');
}

/** The augmentation compiled for a size; the last few are kept. */
function augmentation({ tilePx, cropPx }: PretrainOptions): Promise<CompiledFunction> {
  const key = `${tilePx} ${cropPx}`;
  const known = functions.get(key);
  if (known !== undefined) return known;
  const specs = viewSpecs({ batch: 1, tileSizePx: tilePx, cropSizePx: cropPx });
  const made = compileFunction(
    (_params, inputs) => {
      const [view1, view2] = ofViews(augmentViews(defined(inputs['images'], 'images'), inputs));
      return { view1, view2 };
    },
    {
      params: {},
      inputs: { images: { shape: [1, tilePx, tilePx, 3], dtype: 'uint8' }, ...specs },
      device: { ...CPU, threads: 1 },
      label: 'views',
    },
  );
  functions.set(key, made);
  const [oldest] = functions.keys();
  if (functions.size > keptFunctions && oldest !== undefined) functions.delete(oldest);
  return made;
}

/** The pixels of the tile; all pairs of a wall are cut from the same one. */
function tilePixels(request: ViewRequest, signal: AbortSignal): Promise<Uint8Array> {
  const { path, facts, options, seed } = request;
  const key = JSON.stringify([path, options.tilePx, options.scale, seed]);
  if (lastTile?.key === key) return lastTile.rgb;
  const { size, place } = tileOf(request, options, seed);
  const cut = {
    path,
    facts,
    openMask: undefined,
    mapping: undefined,
    size,
    places: [place],
    tileSizePx: options.tilePx,
    signal,
  };
  const rgb = (async (): Promise<Uint8Array> => {
    for await (const tile of cutTiles(cut)) return tile.rgb.slice();
    throw new Error('An image has at least one tile');
  })();
  lastTile = { key, rgb };
  rgb.catch(() => (lastTile = undefined));
  return rgb;
}
