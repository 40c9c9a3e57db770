/** A square cut out of a (scaled) picture; width and height are less than T at pictures below T. */
export interface TilePlace {
  readonly leftPx: number;
  readonly topPx: number;
  readonly widthPx: number;
  readonly heightPx: number;
}

/** Size of a picture at a scale, at least 1 px. */
export function scaledSize(
  size: { readonly widthPx: number; readonly heightPx: number },
  scale: number,
): { readonly widthPx: number; readonly heightPx: number } {
  return {
    widthPx: Math.max(1, Math.round(size.widthPx * scale)),
    heightPx: Math.max(1, Math.round(size.heightPx * scale)),
  };
}

/**
 * Covers a picture with as few T x T squares as needed, row by row. They overlap evenly, so that the
 * last ones end at the border. A side below T gives one smaller tile.
 */
export function planTiles(
  size: { readonly widthPx: number; readonly heightPx: number },
  tileSizePx: number,
): TilePlace[] {
  const lefts = starts(size.widthPx, tileSizePx);
  return starts(size.heightPx, tileSizePx).flatMap((topPx) =>
    lefts.map((leftPx) => ({
      leftPx,
      topPx,
      widthPx: Math.min(tileSizePx, size.widthPx),
      heightPx: Math.min(tileSizePx, size.heightPx),
    })),
  );
}

function starts(length: number, tile: number): number[] {
  if (length <= tile) return [0];
  const count = Math.ceil(length / tile);
  return Array.from({ length: count }, (_, i) => Math.round((i * (length - tile)) / (count - 1)));
}
