import { join } from 'node:path';
import { AppError, defined } from '../lib/errors.ts';
import type { Project } from '../project/project.ts';
import { shown } from './file-errors.ts';
import type { MaskMapping } from './mask-mapping.ts';
import { openMask } from './mask-pixels.ts';
import { readMaskMapping } from './stored-settings.ts';
import { ignoredClass } from './tile-cache.ts';

/** A stored mask: where it lies and what kind of values it holds. */
export interface MaskSource {
  readonly path: string;
  readonly format: 'index' | 'palette' | 'rgb' | 'coco';
}

/** A mask read as class indices; 255 is ignored. */
export interface ClassMaskReader {
  readonly widthPx: number;
  readonly heightPx: number;
  /** [rows, width] */
  readRows(topPx: number, rows: number): Promise<Uint8Array>;
}

/**
 * The mask of an image as class indices of the project; undefined when it has none.
 * @throws AppError `masks.*`
 */
export async function openImageMask(
  project: Project,
  imageId: string,
): Promise<ClassMaskReader | undefined> {
  const mask = project.masks.get(imageId);
  const mapping = readMaskMapping(project);
  if (mask === undefined || mapping === undefined) return undefined;
  return openClassMask(maskSource(project, mask), mapping);
}

/** Where a stored mask lies: source files by their own path, drawn ones inside the project. */
export function maskSource(project: Project, { path, format }: MaskSource): MaskSource {
  return { path: format === 'coco' ? join(project.dir, path) : path, format };
}

/**
 * Opens a mask that the import accepted.
 * @throws AppError `masks.*`; `masks.changed` when it now holds values that are no class
 */
export async function openClassMask(
  source: MaskSource,
  mapping: MaskMapping,
): Promise<ClassMaskReader> {
  const reader = await openMask(source.path, source.format === 'rgb');
  // Masks drawn from a COCO file are our own pictures of class indices.
  const table =
    source.format === 'coco'
      ? new Map(mapping.classes.map(({ classIndex }) => [classIndex, classIndex]))
      : new Map(mapping.tables[reader.kind]);
  const readRows = async (topPx: number, rows: number) => {
    const values = await reader.readRows(topPx, rows);
    return toClasses(values, table, source.path);
  };
  return { widthPx: reader.widthPx, heightPx: reader.heightPx, readRows };
}

/** Looks up each value; runs of equal values cost one look-up. */
function toClasses(
  values: ArrayLike<number>,
  table: ReadonlyMap<number, number>,
  path: string,
): Uint8Array {
  const classes = new Uint8Array(values.length);
  let previous = -1;
  let index = ignoredClass;
  for (let i = 0; i < values.length; i++) {
    const value = defined(values[i], 'mask value');
    if (value !== previous) {
      index = table.get(value) ?? changed(path, value);
      previous = value;
    }
    classes[i] = index;
  }
  return classes;
}

function changed(path: string, value: number): never {
  throw new AppError(
    'masks.changed',
    `${shown(path)} now holds the value ${value}, which is no class. Import the folder again.`,
  );
}
