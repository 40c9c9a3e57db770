import { AppError, defined } from '../lib/errors.ts';
import type { MaskRow } from '../project/masks.ts';
import type { Project } from '../project/project.ts';
import { shown } from './file-errors.ts';
import type { MaskMapping } from './mask-mapping.ts';
import { openMask } from './mask-pixels.ts';
import { openPaintedMask } from './painted-mask.ts';
import { readMaskMapping } from './stored-settings.ts';
import { ignoredClass } from './tile-cache.ts';

/** A mask file: where it lies and what kind of values it holds. */
interface MaskFile {
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
  return openStoredMask(project, mask, mapping);
}

/**
 * Opens a mask that was painted here or accepted by the import.
 * @throws AppError `masks.*`; `masks.changed` when its file now holds values that are no class
 */
export async function openStoredMask(
  project: Project,
  mask: MaskRow,
  mapping: MaskMapping,
): Promise<ClassMaskReader> {
  const { format, path } = mask;
  if (format === 'painted') return openPaintedMask(project, mask);
  // Masks drawn from a COCO file lie inside the project, the others where they were found.
  return openClassMask({ format, path: format === 'coco' ? project.path(path) : path }, mapping);
}

/**
 * Opens a mask file that the import accepted.
 * @throws AppError as openStoredMask
 */
export async function openClassMask(
  source: MaskFile,
  mapping: MaskMapping,
): Promise<ClassMaskReader> {
  const reader = await openMask(source.path, source.format === 'rgb');
  // Masks drawn from a COCO file are our own pictures of class indices.
  const table =
    source.format === 'coco'
      ? new Map([...mapping.classes.map(({ classIndex }) => classIndex), ignoredClass].map(itself))
      : new Map(mapping.tables[reader.kind]);
  const otherwise = mapping.others === 'ignore' ? ignoredClass : undefined;
  const readRows = async (topPx: number, rows: number) => {
    const values = await reader.readRows(topPx, rows);
    return toClasses(values, table, otherwise ?? source.path);
  };
  return { widthPx: reader.widthPx, heightPx: reader.heightPx, readRows };
}

/** Looks up each value; runs of equal values cost one look-up. */
function toClasses(
  values: ArrayLike<number>,
  table: ReadonlyMap<number, number>,
  /** The class of other values, or the file to name in the fault that they are. */
  otherwise: number | string,
): Uint8Array {
  const classes = new Uint8Array(values.length);
  let previous = -1;
  let index = ignoredClass;
  for (let i = 0; i < values.length; i++) {
    const value = defined(values[i], 'mask value');
    if (value !== previous) {
      index = table.get(value) ?? otherClass(otherwise, value);
      previous = value;
    }
    classes[i] = index;
  }
  return classes;
}

function itself(classIndex: number): [number, number] {
  return [classIndex, classIndex];
}

function otherClass(otherwise: number | string, value: number): number {
  if (typeof otherwise === 'number') return otherwise;
  throw new AppError(
    'masks.changed',
    `${shown(otherwise)} now holds the value ${value}, which is no class. Import the folder again.`,
  );
}
