import { openImage } from '../datasets/decode.ts';
import type { ImageFacts } from '../datasets/image-facts.ts';
import { readPixelSizeUm } from '../datasets/spacing.ts';
import type { Area, ClassMapFacts, ClassMapPlane } from './class-map.ts';
import { ClassMapWriter } from './class-map-writer.ts';
import type { LoadedModel } from './model-file.ts';
import { pictureRows } from './picture-rows.ts';
import { rescaleBands } from './rescale.ts';
import { argmaxClasses, predictBands, type PredictedRegion } from './tiles.ts';

export interface PreviewOptions {
  readonly signal?: AbortSignal;
  /** From the import, when the picture was imported. */
  readonly facts?: ImageFacts;
  readonly onTiles?: (done: number, total: number) => void;
}

/** Readers learn of new parts at most this often. */
const flushEveryMs = 100;

type PreviewModel = Pick<LoadedModel, 'description' | 'predictor'>;
type Planes = Readonly<Record<ClassMapPlane, Uint8Array>>;

/**
 * Predicts one picture of any size into a class map that can be looked at while it is made, tile by
 * tile; its size is known before the model is loaded. Of a model that works on smaller pictures, tiles appear enlarged at first and exact once
 * their row is done. When it is cancelled the map stays as it is, marked as partial.
 * @throws AppError `images.*`, `disk.*`; CancelledError
 */
export async function predictClassMap(
  loading: PreviewModel | Promise<PreviewModel>,
  path: string,
  folder: string,
  options: PreviewOptions = {},
): Promise<ClassMapFacts> {
  const picture = await openImage(path, options.facts);
  const { widthPx, heightPx } = picture;
  const pixelSizeUm = await readPixelSizeUm(path);
  const writer = new ClassMapWriter(folder, { widthPx, heightPx, pixelSizeUm });
  const model = await loading;
  const rows = pictureRows(picture, model.description.scale);
  const classCount = model.predictor.classCount;
  const sizes = { from: rows, to: { widthPx, heightPx }, classCount };
  let flushedAt = performance.now();
  const bands = predictBands(model.predictor, rows, {
    ...options,
    onRegion: (region) => {
      const { area, planes } = atFullSize(region, planesOf(region, classCount), sizes);
      writer.fill(area, planes);
      if (performance.now() - flushedAt < flushEveryMs) return;
      flushedAt = performance.now();
      writer.flush();
    },
  });
  const classPixels = Array.from({ length: classCount }, () => 0);
  for await (const band of rescaleBands(bands, sizes)) {
    const area = { leftPx: 0, topPx: band.topPx, widthPx, heightPx: band.rows };
    const planes = planesOf({ ...area, ...band, bandWidthPx: widthPx }, classCount);
    for (const index of planes.classes) classPixels[index] = (classPixels[index] ?? 0) + 1;
    writer.fill(area, planes);
    writer.closeAbove(band.topPx);
  }
  return writer.finish(classPixels);
}

/** The most probable class of each pixel, and how far its probability is from certain. */
function planesOf(
  region: Pick<
    PredictedRegion,
    'leftPx' | 'widthPx' | 'heightPx' | 'probabilities' | 'bandWidthPx'
  >,
  classCount: number,
): Planes {
  const { leftPx, widthPx, heightPx, probabilities, bandWidthPx } = region;
  const classes = new Uint8Array(widthPx * heightPx);
  const uncertainty = new Uint8Array(widthPx * heightPx);
  // With one class nothing is ever uncertain.
  const worst = classCount > 1 ? 1 - 1 / classCount : 1;
  for (let y = 0; y < heightPx; y++) {
    const from = (y * bandWidthPx + leftPx) * classCount;
    const row = probabilities.subarray(from, from + widthPx * classCount);
    const target = classes.subarray(y * widthPx, (y + 1) * widthPx);
    argmaxClasses(row, classCount, target);
    for (let x = 0; x < widthPx; x++) {
      const highest = row[x * classCount + (target[x] ?? 0)] ?? 1;
      uncertainty[y * widthPx + x] = Math.min(254, Math.round((254 * (1 - highest)) / worst));
    }
  }
  return { classes, uncertainty };
}

interface Sizes {
  readonly from: { readonly widthPx: number; readonly heightPx: number };
  readonly to: { readonly widthPx: number; readonly heightPx: number };
}

/** A part of the scaled picture as pixels of the whole one, by the nearest pixel. */
function atFullSize(
  region: Area,
  planes: Planes,
  { from, to }: Sizes,
): { readonly area: Area; readonly planes: Planes } {
  if (from.widthPx === to.widthPx && from.heightPx === to.heightPx) return { area: region, planes };
  const scaled = (px: number, fromPx: number, toPx: number): number =>
    Math.round((px * toPx) / fromPx);
  const leftPx = scaled(region.leftPx, from.widthPx, to.widthPx);
  const topPx = scaled(region.topPx, from.heightPx, to.heightPx);
  const area = {
    leftPx,
    topPx,
    widthPx: scaled(region.leftPx + region.widthPx, from.widthPx, to.widthPx) - leftPx,
    heightPx: scaled(region.topPx + region.heightPx, from.heightPx, to.heightPx) - topPx,
  };
  const enlarged = (values: Uint8Array): Uint8Array => {
    const result = new Uint8Array(area.widthPx * area.heightPx);
    for (let y = 0; y < area.heightPx; y++) {
      const sourceRow = Math.floor((y * region.heightPx) / area.heightPx) * region.widthPx;
      for (let x = 0; x < area.widthPx; x++) {
        const source = sourceRow + Math.floor((x * region.widthPx) / area.widthPx);
        result[y * area.widthPx + x] = values[source] ?? 0;
      }
    }
    return result;
  };
  return {
    area,
    planes: { classes: enlarged(planes.classes), uncertainty: enlarged(planes.uncertainty) },
  };
}
