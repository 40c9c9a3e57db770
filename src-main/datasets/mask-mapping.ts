import * as v from 'valibot';
import { AppError } from '../lib/errors.ts';
import { defaultColor, fromHex, toHex } from './class-colors.ts';
import { shown } from './file-errors.ts';
import type { ClassesFile } from './data-folder.ts';
import type { MaskKind } from './mask-pixels.ts';
import { maxMaskValues, type MaskScan, type MaskValue } from './mask-scan.ts';
import { ignoredClass } from './tile-cache.ts';

const tableSchema = v.array(v.tuple([v.number(), v.number()]));

/** How the values of mask files become class indices 0, 1, 2...; 255 is "ignored". */
export const maskMappingSchema = v.object({
  /** Classes come from classes.json, from the values found, or were chosen by the user. */
  source: v.picklist(['file', 'proposed', 'chosen']),
  classes: v.array(v.object({ classIndex: v.number(), name: v.string(), color: v.string() })),
  /** For each kind of mask file: pairs of value and class index. */
  tables: v.object({
    index: tableSchema,
    palette: tableSchema,
    rgb: tableSchema,
    /** Of the categories of a COCO file, by their place there, where the user decided. */
    coco: v.exactOptional(tableSchema),
  }),
  /** Values that are in no table: such masks are refused, or those pixels are ignored. */
  others: v.exactOptional(v.picklist(['refuse', 'ignore']), 'refuse'),
});

export type MaskMapping = Readonly<v.InferInput<typeof maskMappingSchema>>;
type Table = MaskMapping['tables']['index'];

export type ClassCounts =
  | {
      readonly type: 'counted';
      readonly classPixels: readonly number[];
      readonly ignoredPixels: number;
    }
  | { readonly type: 'refused'; readonly code: string; readonly message: string };

/** Values that may be class indices as they are; larger ones are more likely grey levels. */
const maxPlainIndex = 64;
const maxClasses = 255;

/**
 * The mapping of declared classes: by index for grey and palette masks, by colour for RGB masks.
 * Two usual habits are understood: a two-class mask drawn with 0 and 255, and grey masks saved as RGB.
 */
export function declaredMapping(file: ClassesFile, scans: readonly MaskScan[]): MaskMapping {
  const sorted = [...file.classes].sort((a, b) => a.index - b.index);
  const classes = sorted.map(({ name, color }, classIndex) => ({
    classIndex,
    name,
    color: color ?? defaultColor(classIndex),
  }));
  const index: [number, number][] = sorted.map((entry, classIndex) => [entry.index, classIndex]);
  if (file.ignoreIndex !== null) index.push([file.ignoreIndex, ignoredClass]);
  else if (isBlackAndWhite(scans) && sorted.length === 2) index.push([255, 1]);
  const byColor: [number, number][] = sorted.flatMap(({ color }, classIndex) => {
    const value = color === undefined ? undefined : fromHex(color);
    return value === undefined ? [] : [[value, classIndex]];
  });
  const rgb = isGreyAsRgb(scans) ? greyTable(index) : byColor;
  return { source: 'file', classes, tables: { index, palette: index, rgb } };
}

/**
 * Proposes classes from the solid values of all masks: plain indices stay, 255 beside them is
 * "ignored"; other grey levels and colours are numbered in order, black first.
 * @throws AppError `masks.mixed-kinds`, `masks.too-many-values`
 */
export function proposedMapping(scans: readonly MaskScan[]): MaskMapping {
  const kinds = [...new Set(scans.map((scan) => scan.kind))];
  if (kinds.length > 1) {
    throw new AppError(
      'masks.mixed-kinds',
      `The masks are of different kinds (${kinds.map((kind) => kindNames[kind]).join(', ')}), so it is ` +
        'unclear which values mean the same. Add a classes.json, or save all masks alike.',
    );
  }
  const kind = kinds[0] ?? 'index';
  const solid = solidValues(scans);
  const table = numbered(kind, [...solid.keys()], isGreyAsRgb(scans));
  const count =
    Math.max(-1, ...table.map(([, index]) => (index === ignoredClass ? -1 : index))) + 1;
  if (count > maxClasses) {
    throw new AppError(
      'masks.too-many-values',
      `The masks hold ${count} different values, too many to be classes. Check that the folder holds ` +
        'masks and not photographs, or add a classes.json.',
    );
  }
  const classes = Array.from({ length: count }, (_, classIndex) => {
    const value = table.find(([, index]) => index === classIndex)?.[0];
    const color = value === undefined ? undefined : solid.get(value);
    const shows = kind !== 'index' && color !== undefined;
    return {
      classIndex,
      name: kind === 'rgb' && color !== undefined ? toHex(color) : `class ${classIndex}`,
      color: shows ? toHex(color) : defaultColor(classIndex),
    };
  });
  const empty: Table = [];
  return {
    source: 'proposed',
    classes,
    tables: { index: empty, palette: empty, rgb: empty, [kind]: table },
  };
}

/** Counts the classes of one mask, or says with file and values why it cannot be used. */
export function countClasses(path: string, scan: MaskScan, mapping: MaskMapping): ClassCounts {
  const table = new Map(mapping.tables[scan.kind]);
  const unknown = scan.values.filter(({ value }) => !table.has(value));
  const isRefused = unknown.length > 0 && mapping.others !== 'ignore';
  if (isRefused || scan.values.length > maxMaskValues) return refusal(path, scan, unknown);
  const classPixels = mapping.classes.map(() => 0);
  let ignoredPixels = 0;
  for (const { value, pixels } of scan.values) {
    const index = table.get(value);
    if (index === undefined || index === ignoredClass) ignoredPixels += pixels;
    else classPixels[index] = (classPixels[index] ?? 0) + pixels;
  }
  return { type: 'counted', classPixels, ignoredPixels };
}

function refusal(path: string, scan: MaskScan, unknown: readonly MaskValue[]): ClassCounts {
  const name = shown(path);
  if (scan.values.length > maxMaskValues) {
    return {
      type: 'refused',
      code: 'masks.too-many-values',
      message: `${name} holds over ${maxMaskValues} different values; it is a photograph or its edges are soft. Save masks as PNG without smoothing.`,
    };
  }
  const listed = unknown
    .slice(0, 10)
    .map(({ value, pixels }) => `${scan.kind === 'rgb' ? toHex(value) : value} (${pixels} px)`);
  const more = unknown.length > listed.length ? ` and ${unknown.length - listed.length} more` : '';
  const values = listed.join(', ') + more;
  return unknown.some(({ solid }) => solid)
    ? {
        type: 'refused',
        code: 'masks.unknown-values',
        message: `${name} holds values that are no class: ${values}. Give them a class under Images > Labels from files, add them to classes.json, or correct the mask.`,
      }
    : {
        type: 'refused',
        code: 'masks.soft-edges',
        message: `${name} has soft edges: values between the classes, ${values}. Save it without smoothing and not as JPEG, or let values between the classes be ignored.`,
      };
}

/** Solid values of all masks and the colours they show as. */
function solidValues(scans: readonly MaskScan[]): Map<number, number> {
  const solid = new Map<number, number>();
  for (const scan of scans) {
    for (const entry of scan.values) if (entry.solid) solid.set(entry.value, entry.color);
  }
  return solid;
}

function numbered(kind: MaskKind, found: readonly number[], isGrey: boolean): Table {
  const values = [...found].sort((a, b) => a - b);
  const levels = kind === 'rgb' && isGrey ? values.map((value) => value & 0xff) : values;
  const isPlain =
    (kind !== 'rgb' || isGrey) &&
    levels.some((level) => level < 255) &&
    !isExactly(levels, [0, 255]) &&
    levels.every((level) => level <= maxPlainIndex || level === 255);
  return values.map((value, order) => {
    const level = levels[order] ?? value;
    return [value, !isPlain ? order : level === 255 ? ignoredClass : level];
  });
}

function isBlackAndWhite(scans: readonly MaskScan[]): boolean {
  const values = [...solidValues(scans).keys()].sort((a, b) => a - b);
  return isExactly(values, [0, 255]) || isExactly(values, [0, 0xffffff]);
}

function isGreyAsRgb(scans: readonly MaskScan[]): boolean {
  const colors = scans.filter((scan) => scan.kind === 'rgb').flatMap((scan) => scan.values);
  return colors.length > 0 && colors.every(({ value }) => value === (value & 0xff) * 0x010101);
}

function greyTable(index: Table): Table {
  return index.map(([value, classIndex]) => [value * 0x010101, classIndex]);
}

function isExactly(values: readonly number[], expected: readonly number[]): boolean {
  return values.length === expected.length && values.every((value, i) => value === expected[i]);
}

const kindNames: Readonly<Record<MaskKind, string>> = {
  index: 'grey levels',
  palette: 'palette indices',
  rgb: 'colours',
};
