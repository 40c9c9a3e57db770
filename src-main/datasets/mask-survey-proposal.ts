import { access } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Project } from '../project/project.ts';
import { defaultColor } from './class-colors.ts';
import { readClassesFile, type ClassesFile } from './data-folder.ts';
import { lockedClasses, type valueKinds } from './mask-choice.ts';
import { declaredMapping, proposedMapping, type MaskMapping } from './mask-mapping.ts';
import { keyOf, type Looked, type MaskSurvey, type ValueSeen } from './mask-survey-types.ts';
import { readMaskMapping } from './stored-settings.ts';
import { ignoredClass } from './tile-cache.ts';

type Proposal = Pick<MaskSurvey, 'proposedBy' | 'classes' | 'lockedClasses' | 'values' | 'soft'>;

/** More values cannot be told apart in a sample's picture. */
const maxValues = 250;

/**
 * What the values seen probably mean: as decided earlier in this project, as a classes.json beside
 * the masks says, or as usual for their kind. Classes in use by other labels come first.
 */
export async function proposeClasses(
  project: Project,
  looked: Looked,
  path: string,
): Promise<Proposal> {
  const target = { folderId: looked.folder.id, isCoco: looked.isCoco };
  const locked = lockedClasses(project, target);
  const { mapping, proposedBy } = await mappingOf(project, looked, path);
  const kept = project.classes.list().slice(0, locked);
  const classes = mapping.classes.map(({ name, color }, i) => kept[i] ?? { name, color });
  const all = [...classes, ...kept.slice(classes.length)].map(({ name, color }) => ({
    name,
    color,
  }));
  const assigned = assignmentsOf(mapping);
  const isListed = (value: Looked['values'][number]) => value.isSolid || assigned.has(value.key);
  const listed = looked.values.filter(isListed).slice(0, maxValues);
  const others = looked.values.filter((value) => !listed.includes(value));
  return {
    proposedBy,
    classes: all,
    lockedClasses: locked,
    values: listed.map(({ key, kind, value, name, color, pixels, masks }): ValueSeen => {
      const classIndex = assigned.get(key);
      const seen = { key, kind, value, name, color, pixels, masks };
      return classIndex === undefined ? seen : { ...seen, classIndex };
    }),
    soft: {
      values: others.length,
      pixels: others.reduce((sum, { pixels }) => sum + pixels, 0),
      masks: looked.seen.filter(({ keys }) => others.some(({ key }) => keys.has(key))).length,
    },
  };
}

async function mappingOf(
  project: Project,
  looked: Looked,
  path: string,
): Promise<{ readonly mapping: MaskMapping; readonly proposedBy: MaskSurvey['proposedBy'] }> {
  const known = readMaskMapping(project);
  const isKnown = known !== undefined && known.source !== 'proposed';
  if (isKnown && (!looked.isCoco || known.tables.coco !== undefined)) {
    return { mapping: known, proposedBy: 'earlier' };
  }
  if (looked.isCoco) return { mapping: cocoMapping(looked), proposedBy: 'file' };
  const file = await classesBeside(path, looked.folder.path);
  if (file !== undefined) {
    return { mapping: declaredMapping(file, looked.scans), proposedBy: 'file' };
  }
  return { mapping: nameBackground(proposedMapping(ofMainKind(looked))), proposedBy: 'values' };
}

function cocoMapping(looked: Looked): MaskMapping {
  return {
    source: 'chosen',
    classes: looked.values.map(({ name, color }, classIndex) => ({ classIndex, name, color })),
    tables: {
      index: [],
      palette: [],
      rgb: [],
      coco: looked.values.map((_, i): [number, number] => [i, i]),
    },
  };
}

/** A classes.json in the folder of the masks, beside it, or with the images. */
async function classesBeside(path: string, imagesPath: string): Promise<ClassesFile | undefined> {
  for (const folder of [path, dirname(path), imagesPath, dirname(imagesPath)]) {
    const file = join(folder, 'classes.json');
    const isThere = await access(file).then(
      () => true,
      () => false,
    );
    if (isThere) return readClassesFile(file);
  }
  return undefined;
}

/** Masks of several kinds: the most frequent one is proposed, the values of the others are left open. */
function ofMainKind({ scans }: Looked): Looked['scans'] {
  const kinds = [...Map.groupBy(scans, ({ kind }) => kind).values()];
  return kinds.reduce((most, other) => (other.length > most.length ? other : most), []);
}

/** What is 0 or black is mostly the background; colors are no names. */
function nameBackground(mapping: MaskMapping): MaskMapping {
  const { index, palette, rgb } = mapping.tables;
  const isBlackFirst = [...index, ...palette, ...rgb].some(
    ([value, classIndex]) => value === 0 && classIndex === 0,
  );
  return {
    ...mapping,
    classes: mapping.classes.map(({ classIndex, color }) => ({
      classIndex,
      name: classIndex === 0 && isBlackFirst ? 'background' : `class ${classIndex}`,
      color: classIndex > 0 && color === '#000000' ? defaultColor(classIndex) : color,
    })),
  };
}

function assignmentsOf({ tables }: MaskMapping): ReadonlyMap<number, number | null> {
  const result = new Map<number, number | null>();
  const add = (kind: (typeof valueKinds)[number], table: MaskMapping['tables']['index'] = []) => {
    for (const [value, classIndex] of table) {
      result.set(keyOf(kind, value), classIndex === ignoredClass ? null : classIndex);
    }
  };
  add('index', tables.index);
  add('palette', tables.palette);
  add('rgb', tables.rgb);
  add('coco', tables.coco);
  return result;
}
