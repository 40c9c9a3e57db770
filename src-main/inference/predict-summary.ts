import { appendFileSync, existsSync } from 'node:fs';
import { join } from 'node:path';
import { writeFileAtomic } from '../lib/files.ts';
import { classesAsText, type ModelClass } from './classes.ts';
import { modelClasses, type ModelDescription } from './model-description.ts';
import type { PredictedFile, PredictSummary } from './predict.ts';

/** Writes `classes.txt` and `classes.json`: which value of a mask is which class. */
export function writeLegend(outDir: string, classes: readonly ModelClass[]): void {
  writeText(join(outDir, 'classes.txt'), classesAsText(classes));
  writeText(join(outDir, 'classes.json'), `${JSON.stringify({ classes }, null, 2)}\n`);
}

/**
 * `areas.csv`: the pixels of each class in each picture, one row as soon as a picture is done, so that
 * an interrupted prediction keeps its rows and `--existing keep` goes on with them.
 */
export class AreaTable {
  readonly #path: string;

  constructor(outDir: string, classes: readonly ModelClass[], isContinued: boolean) {
    this.#path = join(outDir, 'areas.csv');
    if (isContinued && existsSync(this.#path)) return;
    const names = classes.map(({ name }) => `${name}_px`);
    writeText(this.#path, csvRow(['image', 'width_px', 'height_px', ...names]));
  }

  add({ input, widthPx, heightPx, classPixels }: PredictedFile): void {
    appendFileSync(this.#path, csvRow([input, widthPx, heightPx, ...classPixels]));
  }
}

/** Writes `predictions.json`: what this prediction did, with which model. */
export function writeSummary(
  outDir: string,
  model: ModelDescription,
  summary: PredictSummary,
): void {
  const { name, provenance } = model;
  const record = { model: { name, ...provenance }, classes: modelClasses(model), ...summary };
  writeText(join(outDir, 'predictions.json'), `${JSON.stringify(record, null, 2)}\n`);
}

function csvRow(fields: readonly (string | number)[]): string {
  return `${fields.map(csvField).join(',')}\r\n`;
}

/** RFC 4180: quoted when needed, quotes doubled. */
function csvField(value: string | number): string {
  const text = String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

function writeText(path: string, text: string): void {
  writeFileAtomic(path, [new TextEncoder().encode(text)]);
}
