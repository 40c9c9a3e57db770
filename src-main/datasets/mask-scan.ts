import * as v from 'valibot';
import type { MaskKind, MaskReader, MaskValues } from './mask-pixels.ts';

/**
 * What a mask holds, without deciding what it means. A value is `solid` when it fills at least one
 * 2 x 2 square: real classes do, the in-between values of soft (anti-aliased) edges do not.
 */
export const maskScanSchema = v.object({
  kind: v.picklist(['index', 'palette', 'rgb']),
  widthPx: v.number(),
  heightPx: v.number(),
  values: v.array(
    v.object({ value: v.number(), pixels: v.number(), solid: v.boolean(), color: v.number() }),
  ),
});

export type MaskScan = Readonly<v.InferOutput<typeof maskScanSchema>>;
export type MaskValue = MaskScan['values'][number];

/** More different values than this are not kept: the file is a photograph or has soft edges. */
export const maxMaskValues = 1024;

const bandPixels = 16e6;

/** Reads a mask once and counts its values, in ascending order. */
export async function scanMask(reader: MaskReader): Promise<MaskScan> {
  const { kind, widthPx, heightPx, palette } = reader;
  const counts = new Map<number, Count>();
  const rowsPerBand = Math.max(2, Math.floor(bandPixels / widthPx));
  for (let topPx = 0; topPx < heightPx && counts.size <= maxMaskValues; topPx += rowsPerBand) {
    const rows = Math.min(rowsPerBand, heightPx - topPx);
    countValues(await reader.readRows(topPx, rows), widthPx, counts);
  }
  const values = [...counts]
    .sort(([a], [b]) => a - b)
    .map(([value, { pixels, solid }]) => ({
      value,
      pixels,
      solid,
      color: colorOf(kind, value, palette),
    }));
  return { kind, widthPx, heightPx, values };
}

interface Count {
  pixels: number;
  solid: boolean;
}

/** Adds the values of some rows; runs of equal values cost one look-up. */
function countValues(values: MaskValues, width: number, counts: Map<number, Count>): void {
  let current: Count = { pixels: 0, solid: true };
  let previous = -1;
  for (let i = 0; i < values.length; i++) {
    const value = values[i] ?? 0;
    if (value !== previous) {
      const known = counts.get(value);
      if (known === undefined) {
        if (counts.size > maxMaskValues) return;
        current = { pixels: 0, solid: false };
        counts.set(value, current);
      } else {
        current = known;
      }
      previous = value;
    }
    current.pixels++;
    if (
      !current.solid &&
      i >= width &&
      i % width !== 0 &&
      values[i - 1] === value &&
      values[i - width] === value &&
      values[i - width - 1] === value
    ) {
      current.solid = true;
    }
  }
}

/** The colour that a value shows as: its own, its palette's, or its grey. */
function colorOf(kind: MaskKind, value: number, palette: readonly number[] | undefined): number {
  if (kind === 'rgb') return value;
  if (kind === 'palette') return palette?.[value] ?? 0;
  return Math.min(value, 255) * 0x010101;
}
