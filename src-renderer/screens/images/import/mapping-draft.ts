import type { MaskChoice, MaskSurvey } from '../../../../src-main/contract/import.ts';

type MaskValue = MaskSurvey['values'][number];

export interface DraftClass {
  readonly id: number;
  readonly name: string;
  readonly color: string;
  /** In use by other labels: it keeps its place and name. */
  readonly isLocked: boolean;
}

/** What a value means: a class by its id, nothing that counts, or not decided yet. */
export type Meaning = number | 'ignored' | 'open';

/** What the user has decided so far; replaced, never changed. */
export interface MappingDraft {
  readonly classes: readonly DraftClass[];
  /** By the key of the value. */
  readonly meanings: ReadonlyMap<number, Meaning>;
  readonly otherValues: 'refuse' | 'ignore';
}

/** Begins with what the survey proposes. */
export function draftOf(survey: MaskSurvey): MappingDraft {
  return {
    classes: survey.classes.map(({ name, color }, id) => ({
      id,
      name,
      color,
      isLocked: id < survey.lockedClasses,
    })),
    meanings: new Map(
      survey.values.map(({ key, classIndex }) => [
        key,
        classIndex === undefined ? 'open' : (classIndex ?? 'ignored'),
      ]),
    ),
    otherValues: survey.soft.values > 0 ? 'ignore' : 'refuse',
  };
}

/** Gives a value a meaning. A class that thereby loses its last value goes. */
export function assign(draft: MappingDraft, key: number, meaning: Meaning): MappingDraft {
  const before = draft.meanings.get(key);
  const meanings = new Map(draft.meanings).set(key, meaning);
  const isLeft = [...meanings.values()].includes(before ?? 'open');
  const classes = draft.classes.filter(({ id, isLocked }) => isLocked || id !== before || isLeft);
  return { ...draft, classes, meanings };
}

/** A new class for a value, in the color that the value shows as. */
export function addClass(draft: MappingDraft, value: MaskValue): MappingDraft {
  const id = Math.max(-1, ...draft.classes.map((entry) => entry.id)) + 1;
  const isName = value.kind === 'coco';
  const color = value.color === '#000000' ? '#808080' : value.color;
  const added = { id, name: isName ? value.name : `class ${id}`, color, isLocked: false };
  return assign({ ...draft, classes: [...draft.classes, added] }, value.key, id);
}

export function changeClass(
  draft: MappingDraft,
  id: number,
  change: Partial<Pick<DraftClass, 'name' | 'color'>>,
): MappingDraft {
  const classes = draft.classes.map((entry) => (entry.id === id ? { ...entry, ...change } : entry));
  return { ...draft, classes };
}

/** What still keeps the mapping from being used, in sentences. */
export function faultsOf(draft: MappingDraft): string[] {
  const names = draft.classes.map(({ name }) => name.trim().toLowerCase());
  const faults: string[] = [];
  if (draft.classes.length === 0)
    faults.push('There is no class. Give at least one value a class.');
  if (names.includes('')) faults.push('A class has no name.');
  if (new Set(names).size < names.length) {
    faults.push('Two classes have the same name. Merge them, or rename one.');
  }
  return faults;
}

/** Values that were given no meaning; masks that hold them follow `otherValues`. */
export function openValues(draft: MappingDraft): number {
  return [...draft.meanings.values()].filter((meaning) => meaning === 'open').length;
}

/** The decision as main takes it: class indices without gaps, in the order shown. */
export function choiceOf(draft: MappingDraft, survey: MaskSurvey, jobId: string): MaskChoice {
  const indexOf = new Map(draft.classes.map(({ id }, index) => [id, index]));
  return {
    jobId,
    classes: draft.classes.map(({ name, color }) => ({ name: name.trim(), color })),
    assignments: survey.values.flatMap(({ key, kind, value }) => {
      const meaning = draft.meanings.get(key) ?? 'open';
      if (meaning === 'open') return [];
      const classIndex = meaning === 'ignored' ? null : (indexOf.get(meaning) ?? null);
      return [{ kind, value, classIndex }];
    }),
    otherValues: draft.otherValues,
  };
}

/** The color of each place in the survey's list of values; undefined shows nothing. */
export function colorsOf(
  draft: MappingDraft,
  survey: MaskSurvey,
  isBackgroundShown: boolean,
): readonly (string | undefined)[] {
  const colorOf = new Map(draft.classes.map(({ id, color }) => [id, color]));
  const [background] = draft.classes;
  return survey.values.map(({ key }) => {
    const meaning = draft.meanings.get(key) ?? 'open';
    if (meaning === 'open' || meaning === 'ignored') return undefined;
    if (meaning === background?.id && !isBackgroundShown) return undefined;
    return colorOf.get(meaning);
  });
}
