import { expect, test } from 'vitest';
import type { MaskSurvey } from '../../../../src-main/contract/import.ts';
import {
  addClass,
  assign,
  changeClass,
  choiceOf,
  colorsOf,
  draftOf,
  faultsOf,
  openValues,
} from '../../../../src-renderer/screens/images/import/mapping-draft.ts';

const survey: MaskSurvey = {
  name: 'masks',
  kind: 'files',
  images: 2,
  masks: 2,
  matched: 2,
  lookedAt: 2,
  proposedBy: 'values',
  classes: [
    { name: 'background', color: '#000000' },
    { name: 'class 1', color: '#ff0000' },
    { name: 'class 2', color: '#00ff00' },
  ],
  lockedClasses: 0,
  values: [0, 1, 2, 255].map((value, i) => ({
    key: value,
    kind: 'index',
    value,
    name: String(value),
    color: '#112233',
    pixels: 10,
    masks: 2,
    ...(value === 255 ? { classIndex: null } : { classIndex: i }),
  })),
  soft: { values: 0, pixels: 0, masks: 0 },
  samples: [],
  unlabelledImages: { count: 0, names: [] },
  strayMasks: { count: 0, names: [] },
  problems: { count: 0, rows: [] },
};

const names = (draft: ReturnType<typeof draftOf>) => draft.classes.map(({ name }) => name);

test('a proposal is accepted as it is', () => {
  const choice = choiceOf(draftOf(survey), survey, 'job');
  expect(choice.assignments.map(({ value, classIndex }) => [value, classIndex])).toEqual([
    [0, 0],
    [1, 1],
    [2, 2],
    [255, null],
  ]);
  expect(choice.otherValues).toBe('refuse');
});

test('a merged class goes and the others close up', () => {
  const draft = assign(draftOf(survey), 1, 2);
  expect(names(draft)).toEqual(['background', 'class 2']);
  const { classes, assignments } = choiceOf(draft, survey, 'job');
  expect(classes).toHaveLength(2);
  expect(assignments.map(({ classIndex }) => classIndex)).toEqual([0, 1, 1, null]);
});

test('classes in use elsewhere stay, with or without values', () => {
  const draft = assign(draftOf({ ...survey, lockedClasses: 2 }), 1, 'ignored');
  expect(names(draft)).toEqual(['background', 'class 1', 'class 2']);
});

test('a value gets a class of its own', () => {
  const value = survey.values[3];
  if (value === undefined) throw new Error('no value');
  const draft = addClass(draftOf(survey), value);
  expect(names(draft)).toEqual(['background', 'class 1', 'class 2', 'class 3']);
  expect(choiceOf(draft, survey, 'job').assignments.at(-1)?.classIndex).toBe(3);
});

test('values without a meaning are not sent and are counted', () => {
  const draft = assign(draftOf(survey), 2, 'open');
  expect(openValues(draft)).toBe(1);
  expect(choiceOf(draft, survey, 'job').assignments).toHaveLength(3);
});

test('names have to be there and differ', () => {
  expect(faultsOf(changeClass(draftOf(survey), 1, { name: ' Background' }))).toHaveLength(1);
  expect(faultsOf(changeClass(draftOf(survey), 1, { name: ' ' }))).toHaveLength(1);
  expect(faultsOf(draftOf(survey))).toEqual([]);
});

test('pictures show classes, the background only when asked', () => {
  const draft = draftOf(survey);
  expect(colorsOf(draft, survey, false)).toEqual([undefined, '#ff0000', '#00ff00', undefined]);
  expect(colorsOf(draft, survey, true)[0]).toBe('#000000');
});
