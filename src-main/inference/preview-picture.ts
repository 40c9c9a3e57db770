import { encodeOverlay } from '../datasets/encode.ts';
import { colorClasses } from '../datasets/mask-picture.ts';
import { levelSize } from '../datasets/picture-tiles.ts';
import { AppError } from '../lib/errors.ts';
import {
  classMapTilePx,
  notPredicted,
  readClassMapArea,
  readClassMapFacts,
  type Area,
} from './class-map.ts';

export interface PreviewTileRequest {
  readonly level: number;
  readonly x: number;
  readonly y: number;
  /** Classes that are shown. */
  readonly colors: readonly { readonly classIndex: number; readonly color: string }[];
  readonly isOutline: boolean;
  readonly isUncertainty: boolean;
}

/** A color that no default class has. */
const uncertain = [255, 0, 170] as const;

/**
 * One square of a prediction as a transparent PNG, as far as it is ready.
 * @throws AppError `pictures.missing` when there is no prediction or the square lies outside of it
 */
export async function previewTile(
  folder: string,
  { level, x, y, colors, isOutline, isUncertainty }: PreviewTileRequest,
): Promise<Uint8Array> {
  const facts = readClassMapFacts(folder);
  if (facts === undefined) throw missing();
  const size = levelSize(facts, level);
  const [leftPx, topPx] = [x * classMapTilePx, y * classMapTilePx];
  const widthPx = Math.min(classMapTilePx, size.widthPx - leftPx);
  const heightPx = Math.min(classMapTilePx, size.heightPx - topPx);
  if (widthPx <= 0 || heightPx <= 0) throw missing();
  if (isUncertainty) {
    const area = { leftPx, topPx, widthPx, heightPx };
    const values = await readClassMapArea(folder, facts, { plane: 'uncertainty', level, area });
    return uncertaintyPicture(values, area);
  }
  // One pixel more on each side, so that outlines go on across squares.
  const area = {
    leftPx: Math.max(0, leftPx - 1),
    topPx: Math.max(0, topPx - 1),
    widthPx: Math.min(size.widthPx, leftPx + widthPx + 1) - Math.max(0, leftPx - 1),
    heightPx: Math.min(size.heightPx, topPx + heightPx + 1) - Math.max(0, topPx - 1),
  };
  const data = await readClassMapArea(folder, facts, { plane: 'classes', level, area });
  const classes = { data, widthPx: area.widthPx, heightPx: area.heightPx };
  const square = { left: leftPx - area.leftPx, top: topPx - area.topPx, widthPx, heightPx };
  return colorClasses(classes, { size: classes, square, isOutline, colors });
}

function uncertaintyPicture(values: Uint8Array, { widthPx, heightPx }: Area): Promise<Uint8Array> {
  const data = new Uint8Array(values.length * 4);
  for (const [i, value] of values.entries()) {
    if (value !== notPredicted) data.set([...uncertain, value], i * 4);
  }
  return encodeOverlay({ data, widthPx, heightPx });
}

function missing(): AppError {
  return new AppError('pictures.missing', 'There is no prediction of this part yet.');
}
