import { AppError } from '../lib/errors.ts';
import { freeDigits, type ClassRow } from '../project/classes.ts';
import type { Project } from '../project/project.ts';
import { defaultColor } from './class-colors.ts';
import type { MaskMapping } from './mask-mapping.ts';
import { readMaskMapping, writeMaskMapping } from './stored-settings.ts';
import { ignoredClass } from './tile-cache.ts';

export interface ClassChange {
  readonly name?: string;
  readonly color?: string;
  readonly digit?: number | null;
}

export interface ClassUse {
  readonly pixels: number;
  readonly images: number;
}

/** Pixels and images by label value: in labels made here and in imported masks. */
export function classUses(project: Project): ReadonlyMap<number, ClassUse> {
  const uses = new Map<number, ClassUse>();
  const add = (value: number, { pixels, images }: ClassUse) => {
    const known = uses.get(value) ?? { pixels: 0, images: 0 };
    uses.set(value, { pixels: known.pixels + pixels, images: known.images + images });
  };
  for (const { value, ...use } of project.labelLists.valueTotals()) add(value, use);
  const imported = new Map(project.labelLists.importedTotals().map((row) => [row.index, row]));
  for (const { classIndex, labelValue } of project.classes.list()) {
    const use = imported.get(classIndex);
    if (use !== undefined) add(labelValue, use);
  }
  return uses;
}

/** Adds a class with the next distinguishable color and the first free digit. */
export function addClass(
  project: Project,
  { name, color }: { readonly name: string; readonly color?: string | undefined },
): ClassRow {
  return project.transaction(() => {
    const classes = project.classes.list();
    requireFreeName(classes, name);
    const row = {
      classIndex: classes.length,
      name,
      color: color ?? freeColor(classes),
      labelValue: project.classes.unusedValue(),
      digit: freeDigits(classes.flatMap(({ digit }) => digit ?? []))[0] ?? null,
    };
    store(project, [...classes, row], (index) => index);
    return row;
  });
}

/** What is absent stays; a digit that another class has is taken from it. */
export function changeClass(project: Project, value: number, change: ClassChange): ClassRow {
  return project.transaction(() => {
    const classes = project.classes.list();
    const row = { ...requireClass(classes, value), ...change };
    const others = classes.filter(({ labelValue }) => labelValue !== value);
    requireFreeName(others, row.name);
    const next = classes.map((other) => {
      if (other.labelValue === value) return row;
      return row.digit !== null && other.digit === row.digit ? { ...other, digit: null } : other;
    });
    store(project, next, (index) => index);
    return row;
  });
}

/**
 * Removes a class that no label uses; the indices of later classes move down.
 * @throws AppError `classes.in-use`
 */
export function removeClass(project: Project, value: number): void {
  project.transaction(() => {
    const classes = project.classes.list();
    const { classIndex, name } = requireClass(classes, value);
    const isTraining = project.jobs
      .list({ status: 'running' })
      .some(({ type }) => type === 'finetune' || type === 'study');
    if (isTraining) throw inTraining(name);
    const use = classUses(project).get(value);
    if (use !== undefined && use.pixels > 0) throw inUse(name, use);
    const isLast = classIndex === classes.length - 1;
    if (!isLast && project.masks.has('coco')) throw drawnByIndex(name);
    const kept = classes
      .filter(({ labelValue }) => labelValue !== value)
      .map((row, index) => ({ ...row, classIndex: index }));
    store(project, kept, (index) =>
      index === classIndex ? undefined : index > classIndex ? index - 1 : index,
    );
    project.masks.removeClass(classIndex);
  });
}

/** Stores classes and, in step with them, what the values of imported masks mean. */
function store(
  project: Project,
  classes: readonly ClassRow[],
  indexNow: (index: number) => number | undefined,
): void {
  const known = readMaskMapping(project);
  const isFree = known === undefined || (isPlain(known) && !project.masks.hasImported());
  const { coco, ...tables } = isFree ? plainTables(classes) : known.tables;
  const moved = (table: Table) => (isFree ? table : movedTo(table, indexNow));
  const mapping: MaskMapping = {
    ...known,
    source: known?.source === 'chosen' ? 'chosen' : 'file', // no import proposes others any more
    classes: classes.map(({ classIndex, name, color }) => ({ classIndex, name, color })),
    tables: {
      index: moved(tables.index),
      palette: moved(tables.palette),
      rgb: moved(tables.rgb),
      ...(coco === undefined ? {} : { coco: moved(coco) }),
    },
  };
  writeMaskMapping(project, mapping, classes);
}

type Table = MaskMapping['tables']['index'];

/** Nothing was ever said about values of files. */
function isPlain({ tables }: MaskMapping): boolean {
  return tables.rgb.length === 0 && tables.index.every(([value, index]) => value === index);
}

function movedTo(table: Table, indexNow: (index: number) => number | undefined): Table {
  return table.flatMap(([value, index]) => {
    const now = index === ignoredClass ? index : indexNow(index);
    return now === undefined ? [] : [[value, now] satisfies [number, number]];
  });
}

/** Masks that are imported later may hold the indices of the classes as they are. */
function plainTables(classes: readonly ClassRow[]): MaskMapping['tables'] {
  const plain = classes.map(({ classIndex }): [number, number] => [classIndex, classIndex]);
  return { index: plain, palette: plain, rgb: [] };
}

function freeColor(classes: readonly ClassRow[]): string {
  const taken = new Set(classes.map(({ color }) => color));
  for (let index = 0; ; index++) {
    const color = defaultColor(index);
    if (!taken.has(color)) return color;
  }
}

function requireClass(classes: readonly ClassRow[], value: number): ClassRow {
  const found = classes.find(({ labelValue }) => labelValue === value);
  if (found !== undefined) return found;
  throw new AppError('classes.unknown', 'This class was removed meanwhile. Choose another one.');
}

function requireFreeName(classes: readonly ClassRow[], name: string): void {
  if (!classes.some((other) => other.name.toLowerCase() === name.toLowerCase())) return;
  throw new AppError('classes.exists', `There is a class "${name}" already. Choose another name.`);
}

function inTraining(name: string): AppError {
  return new AppError(
    'classes.in-use',
    `"${name}" cannot be removed while a model is being trained with it. Wait for the training, or stop it.`,
  );
}

/** Masks drawn from outlines lie in the project as pictures of class indices. */
function drawnByIndex(name: string): AppError {
  return new AppError(
    'classes.in-use',
    `"${name}" cannot be removed: masks drawn from a COCO file count on the order of the classes. Rename it instead.`,
  );
}

function inUse(name: string, { pixels, images }: ClassUse): AppError {
  const where = images === 1 ? '1 image' : `${images} images`;
  return new AppError(
    'classes.in-use',
    `"${name}" cannot be removed: ${pixels.toLocaleString('en')} pixels in ${where} have this class. ` +
      'Give them to another class first, or rename it.',
    { details: { pixels, images } },
  );
}
