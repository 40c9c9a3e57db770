import type { ImageReader } from '../datasets/decode.ts';
import type { LoadedModel } from './model-file.ts';
import { memoryReader, predictBands } from './tiles.ts';

/** Tiles of a picture that are looked at, evenly spread: enough to compare pictures. */
const tilesPerSide = 2;

/**
 * How unsure a model is about a picture, 0 (certain) to 1 (any class could be anywhere): the mean
 * entropy of its probabilities over up to four tiles at the scale it was trained on, divided by the
 * largest possible entropy.
 */
export async function uncertaintyOf(
  { description, predictor }: Pick<LoadedModel, 'description' | 'predictor'>,
  picture: ImageReader,
): Promise<number> {
  const { tileSizePx, classCount } = predictor;
  const widthPx = Math.max(1, Math.round(picture.widthPx * description.scale));
  const heightPx = Math.max(1, Math.round(picture.heightPx * description.scale));
  const lefts = spread(widthPx, tileSizePx);
  let [entropy, pixels] = [0, 0];
  for (const topPx of spread(heightPx, tileSizePx)) {
    const rows = Math.min(tileSizePx, heightPx);
    const band = await picture.readScaledRows({ widthPx, heightPx, topPx, rows });
    for (const leftPx of lefts) {
      const columns = Math.min(tileSizePx, widthPx);
      const data = new Uint8Array(rows * columns * 3);
      for (let row = 0; row < rows; row++) {
        const from = (row * widthPx + leftPx) * 3;
        data.set(band.subarray(from, from + columns * 3), row * columns * 3);
      }
      const tile = memoryReader({ data, widthPx: columns, heightPx: rows });
      for await (const { probabilities } of predictBands(predictor, tile)) {
        entropy += sumOfEntropy(probabilities);
        pixels += probabilities.length / classCount;
      }
    }
  }
  return Math.min(1, entropy / pixels / Math.log(Math.max(2, classCount)));
}

/** Where tiles begin along a side: one that covers it, or two that lie evenly within. */
function spread(lengthPx: number, tilePx: number): number[] {
  const room = lengthPx - tilePx;
  if (room <= 0) return [0];
  if (room < tilePx / 2) return [Math.round(room / 2)];
  return Array.from({ length: tilesPerSide }, (_, i) =>
    Math.round((room * (2 * i + 1)) / (2 * tilesPerSide)),
  );
}

function sumOfEntropy(probabilities: Float32Array): number {
  let sum = 0;
  for (const p of probabilities) if (p > 0) sum -= p * Math.log(p);
  return sum;
}
