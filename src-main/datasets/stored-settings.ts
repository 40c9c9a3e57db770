import * as v from 'valibot';
import type { Project } from '../project/project.ts';
import { maskMappingSchema, type MaskMapping } from './mask-mapping.ts';

const maskMappingKey = 'datasets.mask-mapping';
const splitChoiceKey = 'datasets.split';

/** How the current split came about. */
export const splitChoiceSchema = v.object({
  source: v.picklist(['file', 'seed']),
  seed: v.number(),
  shares: v.object({ train: v.number(), val: v.number(), test: v.number() }),
  groupBy: v.nullable(
    v.variant('type', [
      v.object({ type: v.literal('folder') }),
      v.object({ type: v.literal('pattern'), pattern: v.string() }),
    ]),
  ),
});

export type SplitChoice = Readonly<v.InferOutput<typeof splitChoiceSchema>>;

/** How mask values become classes in this project; undefined before masks were imported. */
export function readMaskMapping(project: Project): MaskMapping | undefined {
  return project.settings.get(maskMappingKey, maskMappingSchema);
}

export function writeMaskMapping(project: Project, mapping: MaskMapping): void {
  project.transaction(() => {
    project.settings.set(maskMappingKey, mapping);
    project.classes.replaceAll(mapping.classes);
  });
}

export function readSplitChoice(project: Project): SplitChoice | undefined {
  return project.settings.get(splitChoiceKey, splitChoiceSchema);
}

export function writeSplitChoice(project: Project, choice: SplitChoice): void {
  project.settings.set(splitChoiceKey, choice);
}
