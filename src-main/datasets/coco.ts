import { basename } from 'node:path/posix';
import * as v from 'valibot';
import { AppError } from '../lib/errors.ts';
import { fillPolygon, fillRuns, type Paint } from './rasterize.ts';
import { shown } from './file-errors.ts';
import { readJsonFile } from './json-file.ts';

const runsSchema = v.object({
  /** Height, width. */
  size: v.tuple([v.number(), v.number()]),
  counts: v.union([v.string(), v.array(v.number())]),
});

const cocoSchema = v.object({
  images: v.array(
    v.object({
      id: v.union([v.number(), v.string()]),
      file_name: v.string(),
      width: v.number(),
      height: v.number(),
    }),
  ),
  annotations: v.array(
    v.object({
      image_id: v.union([v.number(), v.string()]),
      category_id: v.number(),
      segmentation: v.optional(v.union([v.array(v.array(v.number())), runsSchema])),
    }),
  ),
  categories: v.pipe(
    v.array(v.object({ id: v.number(), name: v.string() })),
    v.minLength(1),
    v.maxLength(254),
  ),
});

type CocoFile = v.InferOutput<typeof cocoSchema>;
type Shape = NonNullable<CocoFile['annotations'][number]['segmentation']>;

/** The labels of one image: shapes with class indices. */
export interface CocoImage {
  readonly fileName: string;
  readonly widthPx: number;
  readonly heightPx: number;
  readonly shapes: readonly { readonly classIndex: number; readonly shape: Shape }[];
  /** Annotations without an outline (boxes only), which make no mask. */
  readonly boxesOnly: number;
}

/** A COCO file by image. Class 0 is the background, the categories follow in order of their ids. */
export interface CocoLabels {
  readonly classNames: readonly string[];
  /** By file name as written in the file. */
  readonly images: ReadonlyMap<string, CocoImage>;
}

/** @throws AppError `data.bad-file` */
export async function readCocoFile(path: string): Promise<CocoLabels> {
  const file = await readJsonFile(path, 'a COCO file', cocoSchema);
  const categories = [...file.categories].sort((a, b) => a.id - b.id);
  const classOf = new Map(categories.map(({ id }, i) => [id, i + 1]));
  const annotations = Map.groupBy(file.annotations, ({ image_id }) => image_id);
  const images = new Map<string, CocoImage>();
  for (const { id, file_name: fileName, width, height } of file.images) {
    const shapes: { readonly classIndex: number; readonly shape: Shape }[] = [];
    let boxesOnly = 0;
    for (const { category_id: category, segmentation } of annotations.get(id) ?? []) {
      const classIndex = classOf.get(category);
      if (classIndex === undefined) {
        throw new AppError(
          'data.bad-file',
          `${shown(path)} uses the category ${category} for ${shown(fileName)} but does not define it.`,
        );
      }
      if (segmentation === undefined || isEmpty(segmentation)) boxesOnly++;
      else shapes.push({ classIndex, shape: segmentation });
    }
    images.set(fileName, { fileName, widthPx: width, heightPx: height, shapes, boxesOnly });
  }
  return { classNames: ['background', ...categories.map(({ name }) => name)], images };
}

/** The entry of an image: by its path below the images folder, else by its name alone. */
export function findCocoImage(labels: CocoLabels, relPath: string): CocoImage | undefined {
  return labels.images.get(relPath) ?? labels.images.get(basename(relPath));
}

/**
 * Draws the mask of an image, [height, width] class indices. Larger shapes are drawn first, so that
 * a small one inside a large one stays visible.
 * @throws AppError `masks.other-size`, `masks.bad-runs`
 */
export function drawCocoMask(image: CocoImage): Uint8Array {
  const bySize = image.shapes
    .map(({ classIndex, shape }) => {
      let area = 0;
      drawShape(image, shape, (from, to) => (area += to - from));
      return { classIndex, shape, area };
    })
    .sort((a, b) => b.area - a.area);
  const mask = new Uint8Array(image.widthPx * image.heightPx);
  for (const { classIndex, shape } of bySize) {
    drawShape(image, shape, (from, to) => mask.fill(classIndex, from, to));
  }
  return mask;
}

function drawShape(image: CocoImage, shape: Shape, paint: Paint): void {
  const { widthPx, heightPx } = image;
  if (Array.isArray(shape)) {
    for (const polygon of shape) fillPolygon(image, polygon, paint);
    return;
  }
  const [height, width] = shape.size;
  if (height !== heightPx || width !== widthPx) {
    throw new AppError(
      'masks.other-size',
      `A label of ${shown(image.fileName)} is ${width} x ${height} px, but the image ${widthPx} x ${heightPx}.`,
    );
  }
  const counts = typeof shape.counts === 'string' ? unpackCounts(shape.counts) : shape.counts;
  if (counts.some((count) => count < 0) || sumOf(counts) !== widthPx * heightPx) {
    throw new AppError(
      'masks.bad-runs',
      `A run-length label of ${shown(image.fileName)} does not fill the image. Export the labels again.`,
    );
  }
  fillRuns(image, counts, paint);
}

/**
 * COCO's compressed run lengths: 5 bits a character from code 48, low bits first, bit 5 says that
 * more follow; from the third on each is the difference to the one two before (rleFrString in
 * pycocotools' maskApi.c).
 */
function unpackCounts(text: string): number[] {
  const counts: number[] = [];
  for (let at = 0; at < text.length;) {
    let value = 0;
    let shift = 0;
    let bits: number;
    do {
      bits = text.charCodeAt(at++) - 48;
      value |= (bits & 0x1f) << shift;
      shift += 5;
    } while ((bits & 0x20) !== 0 && at < text.length);
    if ((bits & 0x10) !== 0 && shift < 32) value |= -1 << shift;
    counts.push(counts.length > 2 ? value + (counts.at(-2) ?? 0) : value);
  }
  return counts;
}

function isEmpty(shape: Shape): boolean {
  return Array.isArray(shape) && shape.every((polygon) => polygon.length < 6);
}

function sumOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0);
}
