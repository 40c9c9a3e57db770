import type { Random } from '../lib/random.ts';

/** A crop in source pixels. */
export interface Box {
  readonly top: number;
  readonly left: number;
  readonly height: number;
  readonly width: number;
}

interface Size {
  readonly heightPx: number;
  readonly widthPx: number;
}

/** x1, y1, x2, y2 relative to a crop, each float32. */
export type Coordinates = readonly [number, number, number, number];

/**
 * Draws the crops of the two views (SlotCon, released code): area fraction uniform in
 * [minArea, 1], log aspect uniform in [ln 3/4, ln 4/3]. The second crop meets the first on at least
 * 1 % of its own target area, unless ten tries fail.
 */
export function sampleBoxes(random: Random, size: Size, minArea: number): readonly [Box, Box] {
  const plain = (): Box => sampleBox(random, size, minArea) ?? centeredBox(size);
  const first = plain();
  return [first, sampleBox(random, size, minArea, first) ?? plain()];
}

/** The common rectangle of both crops in the unit square of `box`; not clamped without overlap. */
export function overlapCoordinates(box: Box, other: Box): Coordinates {
  const x1 = Math.max(box.left, other.left);
  const y1 = Math.max(box.top, other.top);
  const x2 = Math.min(box.left + box.width, other.left + other.width);
  const y2 = Math.min(box.top + box.height, other.top + other.height);
  return [
    Math.fround((x1 - box.left) / box.width),
    Math.fround((y1 - box.top) / box.height),
    Math.fround((x2 - box.left) / box.width),
    Math.fround((y2 - box.top) / box.height),
  ];
}

/** The coordinates after the crop was mirrored left-right. */
export function mirrored([x1, y1, x2, y2]: Coordinates): Coordinates {
  return [Math.fround(1 - x2), y1, Math.fround(1 - x1), y2];
}

function sampleBox(
  random: Random,
  { heightPx, widthPx }: Size,
  minArea: number,
  partner?: Box,
): Box | undefined {
  for (let attempt = 0; attempt < 10; attempt++) {
    const area = random.uniform(minArea, 1) * heightPx * widthPx;
    const aspect = Math.exp(random.uniform(Math.log(3 / 4), Math.log(4 / 3)));
    const width = roundHalfEven(Math.sqrt(area * aspect));
    const height = roundHalfEven(Math.sqrt(area / aspect));
    if (width < 1 || width > widthPx || height < 1 || height > heightPx) continue;
    const top = random.integer(heightPx - height + 1);
    const left = random.integer(widthPx - width + 1);
    const box = { top, left, height, width };
    if (partner === undefined || commonArea(box, partner) >= 0.01 * area) return box;
  }
  return undefined;
}

/** The plain rule's last resort: the middle of the image at the nearest allowed aspect. */
function centeredBox({ heightPx, widthPx }: Size): Box {
  const aspect = widthPx / heightPx;
  const height = aspect < 3 / 4 ? roundHalfEven(widthPx / 0.75) : heightPx;
  const width = aspect > 4 / 3 ? roundHalfEven((heightPx * 4) / 3) : widthPx;
  return {
    top: Math.trunc((heightPx - height) / 2),
    left: Math.trunc((widthPx - width) / 2),
    height,
    width,
  };
}

function commonArea(a: Box, b: Box): number {
  const width = Math.min(a.left + a.width, b.left + b.width) - Math.max(a.left, b.left);
  const height = Math.min(a.top + a.height, b.top + b.height) - Math.max(a.top, b.top);
  return Math.max(width, 0) * Math.max(height, 0);
}

function roundHalfEven(value: number): number {
  const floor = Math.floor(value);
  if (value - floor !== 0.5) return Math.round(value);
  return floor % 2 === 0 ? floor : floor + 1;
}
