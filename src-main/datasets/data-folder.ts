import type { Stats } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import * as v from 'valibot';
import { AppError } from '../lib/errors.ts';
import { fileError, shown } from './file-errors.ts';
import type { ImportOptions, Split } from './import-types.ts';
import { readJsonFile } from './json-file.ts';

/** Where everything of an import lies; absolute paths. */
export interface DataFolder {
  readonly images: string;
  /** A folder of mask files. */
  readonly masks: string | undefined;
  /** A COCO file with the labels. */
  readonly coco: string | undefined;
  readonly classes: string | undefined;
  readonly split: string | undefined;
  readonly groups: string | undefined;
}

export interface ClassesFile {
  readonly classes: readonly {
    /** The value in mask files. */
    readonly index: number;
    readonly name: string;
    readonly color: string | undefined;
  }[];
  /** The value in mask files that counts as no class. */
  readonly ignoreIndex: number | null;
}

/** File names, or paths below the images folder, of each part of a split. */
export interface SplitFile {
  readonly splitOf: ReadonlyMap<string, Split>;
  /** Named in the file under another key: held apart, used for nothing. */
  readonly heldApart: ReadonlySet<string>;
}

/**
 * Recognises a data folder: `images/`, `masks/` (or a COCO `annotations.json`), `classes.json`,
 * `split.json` and `groups.json` side by side. Any other folder is taken as the images themselves,
 * with the same files looked for in and beside it. What the options name wins.
 * @throws AppError `images.missing`, `images.not-a-folder`
 */
export async function recognizeDataFolder(options: ImportOptions): Promise<DataFolder> {
  const root = resolve(options.imagesPath);
  if (!(await factsOf(root)).isDirectory()) {
    throw new AppError(
      'images.not-a-folder',
      `${shown(root)} is a file. Give the folder that holds the images.`,
    );
  }
  const isDataFolder = await isFolder(join(root, 'images'));
  const images = isDataFolder ? join(root, 'images') : root;
  const places = isDataFolder
    ? [root]
    : basename(root) === 'images'
      ? [root, dirname(root)]
      : [root];
  const labels = await labelsOf(options, places);
  return {
    images,
    ...labels,
    classes: await given(options.classesFile, firstFile(places, ['classes.json'])),
    split: await given(options.splitFile, firstFile(places, ['split.json'])),
    groups: options.groupBy === undefined ? await firstFile(places, ['groups.json']) : undefined,
  };
}

/** @throws AppError `data.bad-file` */
export async function readClassesFile(path: string): Promise<ClassesFile> {
  const file = await readJsonFile(path, 'a list of classes', classesSchema);
  const indices = new Set(file.classes.map(({ index }) => index));
  if (indices.size < file.classes.length) {
    throw new AppError('data.bad-file', `${shown(path)} names the same class index twice.`);
  }
  return {
    classes: file.classes.map(({ index, name, color, colour }) => ({
      index,
      name,
      color: color ?? colour,
    })),
    ignoreIndex: file.ignore_index ?? null,
  };
}

/** @throws AppError `data.bad-file` also when a file is named in two parts */
export async function readSplitFile(path: string): Promise<SplitFile> {
  const parts = await readJsonFile(path, 'a split (train, val, test)', splitSchema);
  const splitOf = new Map<string, Split>();
  const heldApart = new Set<string>();
  for (const [part, names] of Object.entries(parts)) {
    for (const name of names) {
      const earlier = splitOf.get(name);
      if (earlier !== undefined && earlier !== part) {
        throw new AppError(
          'data.bad-file',
          `${shown(path)} names ${shown(name)} in "${earlier}" and in "${part}". Leave one.`,
        );
      }
      if (v.is(splitName, part)) splitOf.set(name, part);
      else heldApart.add(name);
    }
  }
  return { splitOf, heldApart };
}

/** Groups by file name; images in none are a group of their own. */
export async function readGroupsFile(path: string): Promise<ReadonlyMap<string, string>> {
  const groups = await readJsonFile(path, 'a list of groups of file names', groupsSchema);
  return new Map(
    groups.flatMap((names, i) => names.map((name): [string, string] => [name, `group ${i + 1}`])),
  );
}

async function labelsOf(
  options: ImportOptions,
  places: readonly string[],
): Promise<Pick<DataFolder, 'masks' | 'coco'>> {
  if (options.masksPath === undefined) {
    const masks = await firstFolder(places, ['masks', 'labels', 'annotations']);
    const coco = masks === undefined ? await firstFile(places, cocoNames) : undefined;
    return { masks, coco };
  }
  const path = resolve(options.masksPath);
  if (!(await factsOf(path)).isDirectory()) return { masks: undefined, coco: path };
  return { masks: path, coco: undefined };
}

async function given(
  path: string | undefined,
  found: Promise<string | undefined>,
): Promise<string | undefined> {
  return path === undefined ? found : resolve(path);
}

async function firstFile(
  places: readonly string[],
  names: readonly string[],
): Promise<string | undefined> {
  for (const place of places) {
    const inside = new Set(await readdir(place).catch(() => []));
    const name = names.find((candidate) => inside.has(candidate));
    if (name !== undefined) return join(place, name);
  }
  return undefined;
}

async function firstFolder(
  places: readonly string[],
  names: readonly string[],
): Promise<string | undefined> {
  for (const place of places) {
    for (const name of names) if (await isFolder(join(place, name))) return join(place, name);
  }
  return undefined;
}

async function isFolder(path: string): Promise<boolean> {
  return stat(path).then(
    (facts) => facts.isDirectory(),
    () => false,
  );
}

async function factsOf(path: string): Promise<Stats> {
  try {
    return await stat(path);
  } catch (cause) {
    throw fileError(cause, path);
  }
}

const cocoNames = ['annotations.json', 'coco.json', '_annotations.coco.json', 'instances.json'];

const maskValue = v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(65535));

const classesSchema = v.object({
  classes: v.pipe(
    v.array(
      v.object({
        index: maskValue,
        name: v.string(),
        color: v.optional(v.string()),
        colour: v.optional(v.string()),
      }),
    ),
    v.minLength(1),
    v.maxLength(255),
  ),
  ignore_index: v.optional(v.nullable(maskValue)),
});

const splitName = v.picklist(['train', 'val', 'test', 'unlabelled']);
const splitSchema = v.record(v.string(), v.array(v.string()));
const groupsSchema = v.array(v.array(v.string()));
