import { join } from 'node:path';
import { writeFileAtomic } from '../lib/files.ts';
import { classesAsText, type ModelClass } from './classes.ts';
import { modelClasses, type ModelDescription } from './model-description.ts';
import type { PredictSummary } from './predict.ts';

/** Writes `classes.txt` and `classes.json`: which value of a mask is which class. */
export function writeLegend(outDir: string, classes: readonly ModelClass[]): void {
  writeText(join(outDir, 'classes.txt'), classesAsText(classes));
  writeText(join(outDir, 'classes.json'), `${JSON.stringify({ classes }, null, 2)}\n`);
}

/** Writes `areas.csv` (pixels of each class in each picture) and `predictions.json` (everything). */
export function writeSummary(
  outDir: string,
  model: ModelDescription,
  summary: PredictSummary,
): void {
  const classes = modelClasses(model);
  const head = ['image', 'width_px', 'height_px', ...classes.map(({ name }) => `${name}_px`)];
  const rows = summary.predicted.map((file) => [
    file.input,
    file.widthPx,
    file.heightPx,
    ...file.classPixels,
  ]);
  const csv = [head, ...rows].map((row) => row.map(csvField).join(',')).join('\r\n');
  writeText(join(outDir, 'areas.csv'), `${csv}\r\n`);
  const { name, provenance } = model;
  const record = { model: { name, ...provenance }, classes, ...summary };
  writeText(join(outDir, 'predictions.json'), `${JSON.stringify(record, null, 2)}\n`);
}

/** RFC 4180: quoted when needed, quotes doubled. */
function csvField(value: string | number): string {
  const text = String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

function writeText(path: string, text: string): void {
  writeFileAtomic(path, [new TextEncoder().encode(text)]);
}
