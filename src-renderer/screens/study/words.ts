import type { Length, Metric, Start, Verdict } from '../../../src-main/contract/studies.ts';
import type { Status } from '../../../src-main/contract/values.ts';

/** How starts, scores and states are called in this step. */
export const startNames: Readonly<Record<Start, string>> = {
  random: 'Random weights',
  encoder: 'Pre-trained encoder',
  'encoder+decoder': 'Pre-trained encoder + decoder',
  file: 'Weights file',
};

/** For narrow places. */
export const shortStartNames: Readonly<Record<Start, string>> = {
  random: 'Random',
  encoder: 'Encoder',
  'encoder+decoder': 'Encoder + decoder',
  file: 'File',
};

/** In the order in which they are shown everywhere: the baseline first. */
export const startOrder: readonly Start[] = ['random', 'encoder', 'encoder+decoder', 'file'];

export const metricNames: Readonly<Record<Metric, string>> = {
  meanIou: 'Mean IoU',
  meanDice: 'Mean Dice',
};

export const metricMeanings: Readonly<Record<Metric, string>> = {
  meanIou:
    'Of all pixels that label or model give to a class, the share on which both agree; mean over the classes. The stricter score, usual in research.',
  meanDice:
    'Twice the agreement over the sum of both areas; mean over the classes. Usual in medicine; a little higher than IoU.',
};

export const statusNames: Readonly<Record<Status, string>> = {
  queued: 'Waiting',
  running: 'Training',
  paused: 'Paused',
  done: 'Done',
  failed: 'Failed',
  cancelled: 'Cancelled',
  interrupted: 'Interrupted',
};

export type Tone = 'neutral' | 'accent' | 'success' | 'warning' | 'danger' | 'info';

export const statusTones: Readonly<Record<Status, Tone>> = {
  queued: 'neutral',
  running: 'accent',
  paused: 'warning',
  done: 'success',
  failed: 'danger',
  cancelled: 'neutral',
  interrupted: 'warning',
};

export const verdictTones: Readonly<Record<Verdict, Tone>> = {
  helped: 'success',
  'no clear difference': 'neutral',
  hurt: 'danger',
};

/** What repetitions cost and buy. */
export const seedMeanings: Readonly<Record<1 | 3 | 5, string>> = {
  1: 'Quickest. Scores, but no verdict: one training cannot be told from luck.',
  3: 'Three times the time. The fewest that allow a verdict; intervals are wide.',
  5: 'Five times the time. Narrower intervals, so smaller differences can be seen.',
};

export const lengthMeanings: Readonly<Record<Length['type'], string>> = {
  auto: 'As long as is usual for this method: 1,000 steps. Right when time does not matter.',
  time: 'As many steps as fit into the time, measured on the first training; all others get the same number.',
  steps: 'For experts: every training takes exactly this many steps.',
};

/** A share as people read it; a number of images gives odd shares. */
export function shareText(share: number): string {
  return `${Number((100 * share).toFixed(share < 0.1 ? 1 : 0))}\u202f%`;
}

/** +0.014 or −0.003 */
export function signedScore(value: number): string {
  return `${value < 0 ? '\u2212' : '+'}${Math.abs(value).toFixed(3)}`;
}
