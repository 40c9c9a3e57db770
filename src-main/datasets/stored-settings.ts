import * as v from 'valibot';
import type { ClassRow } from '../project/classes.ts';
import type { Project } from '../project/project.ts';
import { fingerprintSchema } from './fingerprint-schema.ts';
import { maskMappingSchema, type MaskMapping } from './mask-mapping.ts';

const maskMappingKey = 'datasets.mask-mapping';
const splitChoiceKey = 'datasets.split';

export const groupBySchema = v.variant('type', [
  v.object({ type: v.literal('none') }),
  v.object({ type: v.literal('folder') }),
  v.object({ type: v.literal('pattern'), pattern: v.string() }),
]);

/** How the current split came about. */
export const splitChoiceSchema = v.object({
  /** `chosen` by the user, so that a split.json found later does not undo it. */
  source: v.picklist(['file', 'seed', 'chosen']),
  seed: v.number(),
  shares: v.object({ train: v.number(), val: v.number(), test: v.number() }),
  groupBy: v.nullable(groupBySchema),
});

export type SplitChoice = Readonly<v.InferOutput<typeof splitChoiceSchema>>;

/** How mask values become classes in this project; undefined before masks were imported. */
export function readMaskMapping(project: Project): MaskMapping | undefined {
  return project.settings.get(maskMappingKey, maskMappingSchema);
}

/** Stores the mapping and its classes; `classes` are given when more than names and colors changed. */
export function writeMaskMapping(
  project: Project,
  mapping: MaskMapping,
  classes?: readonly ClassRow[],
): void {
  project.transaction(() => {
    project.settings.set(maskMappingKey, mapping);
    if (classes === undefined) project.classes.replaceAll(mapping.classes);
    else project.classes.setAll(classes);
  });
}

export function readSplitChoice(project: Project): SplitChoice | undefined {
  return project.settings.get(splitChoiceKey, splitChoiceSchema);
}

export function writeSplitChoice(project: Project, choice: SplitChoice): void {
  project.settings.set(splitChoiceKey, choice);
}

const sourceSchema = v.object({
  /** Masks or a COCO file that lie with the images; absolute. */
  foundLabels: v.nullable(v.string()),
  /** Where the masks that were imported came from. */
  labels: v.nullable(v.string()),
});

/** Where the labels of a folder of images are. */
export type LabelSource = Readonly<v.InferOutput<typeof sourceSchema>>;

export function readSource(project: Project, folderId: string): LabelSource | undefined {
  return project.settings.get(`datasets.source.${folderId}`, sourceSchema);
}

export function writeSource(project: Project, folderId: string, source: LabelSource): void {
  project.settings.set(`datasets.source.${folderId}`, source);
}

const lastImportSchema = v.object({
  at: v.number(),
  found: v.number(),
  usable: v.number(),
  skipped: v.number(),
  unchanged: v.number(),
  otherFiles: v.number(),
  seconds: v.number(),
  fingerprint: fingerprintSchema,
});

/** What the import that ended last found, and what all images look like since. */
export type LastImport = Readonly<v.InferOutput<typeof lastImportSchema>>;

export function readLastImport(project: Project): LastImport | undefined {
  return project.settings.get('datasets.last-import', lastImportSchema);
}

export function writeLastImport(project: Project, last: LastImport): void {
  project.settings.set('datasets.last-import', v.parse(lastImportSchema, last));
}
