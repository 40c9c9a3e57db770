import * as v from 'valibot';
import { AppError } from '../lib/errors.ts';
import type { Project } from '../project/project.ts';
import type { MaskMapping } from './mask-mapping.ts';
import { ignoredClass } from './tile-cache.ts';

/** What a value of a mask file is: as in MaskKind, or the place of a category in a COCO file. */
export const valueKinds = ['index', 'palette', 'rgb', 'coco'] as const;

/** What the user decided that values of masks mean. */
export const maskChoiceSchema = v.object({
  /** In order of their index. */
  classes: v.pipe(
    v.array(v.object({ name: v.string(), color: v.string() })),
    v.minLength(1),
    v.maxLength(255),
  ),
  assignments: v.array(
    v.object({
      kind: v.picklist(valueKinds),
      value: v.number(),
      /** Null is ignored: neither learned from nor counted in a score. */
      classIndex: v.nullable(v.number()),
    }),
  ),
  /** What happens to masks with other values: they are not used, or those pixels are ignored. */
  otherValues: v.picklist(['refuse', 'ignore']),
});

export type MaskChoice = Readonly<v.InferOutput<typeof maskChoiceSchema>>;

/**
 * The mapping that a choice makes; kinds of values that it says nothing about stay as in `known`.
 * @throws AppError `classes.conflict` when two classes have one name or a value no class
 */
export function chosenMapping(choice: MaskChoice, known: MaskMapping | undefined): MaskMapping {
  const { classes, assignments, otherValues } = choice;
  const names = new Set(classes.map(({ name }) => name.trim().toLowerCase()));
  if (names.size < classes.length) {
    throw new AppError(
      'classes.conflict',
      'Two classes have the same name. Merge them, or give each a name of its own.',
    );
  }
  if (assignments.some(({ classIndex }) => classIndex !== null && classIndex >= classes.length)) {
    throw new AppError('classes.conflict', 'A mask value is given to a class that does not exist.');
  }
  const table = (kind: (typeof valueKinds)[number]) => {
    const own = assignments.filter((assignment) => assignment.kind === kind);
    if (own.length === 0) return known?.tables[kind] ?? [];
    return own.map(({ value, classIndex }): [number, number] => [
      value,
      classIndex ?? ignoredClass,
    ]);
  };
  return {
    source: 'chosen',
    classes: classes.map(({ name, color }, classIndex) => ({
      classIndex,
      name: name.trim(),
      color,
    })),
    tables: {
      index: table('index'),
      palette: table('palette'),
      rgb: table('rgb'),
      coco: table('coco'),
    },
    others: otherValues,
  };
}

/** The folder that masks are for, and whether they come from a COCO file. */
export interface MaskTarget {
  readonly folderId: string;
  readonly isCoco: boolean;
}

/**
 * How many classes, from the first on, have to keep place and name, because labels hold their
 * indices: painted ones, those drawn for other folders, and beside a COCO file any of other folders.
 */
export function lockedClasses(project: Project, { folderId, isCoco }: MaskTarget): number {
  const isInUse = project.masks.countBinding(folderId, isCoco) > 0;
  return isInUse ? project.classes.list().length : 0;
}

/** @throws AppError `classes.conflict` when the choice would change what other labels mean */
export function requireKeptClasses(project: Project, choice: MaskChoice, target: MaskTarget): void {
  const locked = project.classes.list().slice(0, lockedClasses(project, target));
  const lost = locked.find(({ name }, i) => choice.classes[i]?.name.trim() !== name);
  if (lost === undefined) return;
  throw new AppError(
    'classes.conflict',
    `The class "${lost.name}" is in use by labels that are not from these masks, so it has to keep its name and place. Rename classes in the step Label.`,
  );
}
