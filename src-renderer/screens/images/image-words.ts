import type { ImageItem } from '../../../src-main/contract/images.ts';

type Split = NonNullable<ImageItem['split']>;

/** The parts of the labelled images, as the window calls them. */
export const splitNames: Readonly<Record<Split, string>> = {
  train: 'for learning',
  val: 'for choosing the best',
  test: 'held out for the score',
  unlabelled: 'unlabelled',
};

/** Short marks in the grid; the full words are in the name that is read aloud. */
export const splitLetters: Readonly<Record<Split, string>> = {
  train: 'Train',
  val: 'Val',
  test: 'Test',
  unlabelled: '',
};
