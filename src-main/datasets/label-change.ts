import { AppError } from '../lib/errors.ts';
import {
  countRuns,
  notLabelled,
  replaceInRuns,
  tileGrid,
  tileSize,
  uniformRuns,
} from '../lib/label-runs.ts';
import type { LabelRow, StoredTile } from '../project/labels.ts';
import type { Project } from '../project/project.ts';

/**
 * One change of one label inside a transaction: counts pixels while tiles are replaced and stores
 * the sums at the end, so that no label is ever read as a whole.
 */
export class LabelChange {
  readonly label: LabelRow;
  readonly changed: StoredTile[] = [];
  readonly #project: Project;
  readonly #known: ReadonlySet<number>;
  readonly #pixels: Map<number, number>;

  constructor(project: Project, label: LabelRow) {
    this.#project = project;
    this.label = label;
    this.#known = new Set(project.classes.list().map(({ labelValue }) => labelValue));
    this.#pixels = new Map(
      Object.entries(label.valuePixels).map(([value, pixels]) => [Number(value), pixels]),
    );
  }

  /** The stored tile; undefined where nothing is labelled. */
  tile(x: number, y: number): Uint8Array | undefined {
    return this.#project.labels.tile(this.label.imageId, x, y);
  }

  /** How many pixels the tile has. @throws RangeError outside the image */
  pixelsOf(x: number, y: number): number {
    const { columns, rows } = tileGrid(this.label);
    if (x >= columns || y >= rows) throw new RangeError(`No label tile at ${x}, ${y}`);
    const { widthPx, heightPx } = tileSize(this.label, x, y);
    return widthPx * heightPx;
  }

  /**
   * Replaces a tile; null takes it away.
   * @returns what was there, or undefined when it was the same
   * @throws AppError `classes.unknown` when it holds a value that is no class
   */
  set(x: number, y: number, runs: Uint8Array | null): { before: Uint8Array | null } | undefined {
    const before = this.tile(x, y) ?? null;
    if (isSame(before, runs)) return undefined;
    const pixels = this.pixelsOf(x, y);
    if (runs !== null) this.#count(runs, pixels, 1);
    if (before !== null) this.#count(before, pixels, -1);
    this.#project.labels.putTile(this.label.imageId, x, y, runs);
    this.changed.push({ x, y, runs: runs ?? uniformRuns(notLabelled, pixels) });
    return { before };
  }

  /** As `set`, for tiles of the journal. */
  restore(x: number, y: number, runs: Uint8Array | null): void {
    this.set(x, y, runs === null ? null : this.withoutRemoved(runs));
  }

  /** Older tiles without the pixels of classes that were removed since. */
  withoutRemoved(runs: Uint8Array): Uint8Array {
    return replaceInRuns(runs, (value) => (this.#known.has(value) ? value : notLabelled));
  }

  /** Stores the sums; `revision` grows when anything changed. */
  finish(next: Partial<Pick<LabelRow, 'position' | 'source'>>): LabelRow {
    const { label } = this;
    const pixels = [...this.#pixels].filter(([, count]) => count > 0);
    const row = {
      ...label,
      ...next,
      revision: label.revision + (this.changed.length > 0 ? 1 : 0),
      valuePixels: Object.fromEntries(pixels),
    };
    this.#project.labels.put(row);
    if (row.state === 'done') putPaintedMask(this.#project, row);
    return row;
  }

  #count(runs: Uint8Array, pixels: number, sign: 1 | -1): void {
    for (const [value, count] of countRuns(runs, pixels)) {
      if (value === notLabelled) continue;
      if (sign === 1 && !this.#known.has(value)) throw unknownClass();
      this.#pixels.set(value, (this.#pixels.get(value) ?? 0) + sign * count);
    }
  }
}

/** Makes the label the mask of its image: from here on training, study and export read it. */
export function putPaintedMask(project: Project, label: LabelRow): void {
  const { imageId, widthPx, heightPx, valuePixels, revision } = label;
  const classPixels = project.classes.list().map(({ labelValue }) => valuePixels[labelValue] ?? 0);
  project.masks.upsertMany([
    {
      imageId,
      path: '',
      format: 'painted',
      widthPx,
      heightPx,
      classPixels,
      ignoredPixels: notLabelledPixels(label),
      details: { revision },
    },
  ]);
}

/** Pixels that no class has. */
export function notLabelledPixels(label: Pick<LabelRow, 'widthPx' | 'heightPx' | 'valuePixels'>) {
  const labelled = Object.values(label.valuePixels).reduce((sum, pixels) => sum + pixels, 0);
  return label.widthPx * label.heightPx - labelled;
}

function isSame(a: Uint8Array | null, b: Uint8Array | null): boolean {
  if (a === null || b === null) return a === b;
  return Buffer.compare(a, b) === 0;
}

function unknownClass(): AppError {
  return new AppError(
    'classes.unknown',
    'The chosen class was removed meanwhile. Choose another class and paint again.',
  );
}
