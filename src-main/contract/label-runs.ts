/** How label tiles are written, for both sides: the window may import from this folder only. */
export {
  countRuns,
  decodeRuns,
  encodeRuns,
  forEachRun,
  labelTilePx,
  notLabelled,
  runsFromText,
  runsToText,
  tileGrid,
  tileSize,
  uniformRuns,
  type TileSize,
} from '../lib/label-runs.ts';
