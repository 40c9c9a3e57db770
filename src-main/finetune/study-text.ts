import type { Start } from '../project/values.ts';
import type { Estimate, StudyMetric } from './intervals.ts';
import type { Comparison, FractionResult, StudyResult } from './study-result.ts';

type Unworded = Omit<FractionResult, 'sentence'>;

/**
 * The honest sentence about one fraction: whether starting from pre-trained weights helped, made no
 * clear difference, or hurt. It speaks about the fullest start that was tried, and of others where
 * they clearly came out in another way.
 */
export function verdictSentence(result: Unworded, metric: StudyMetric): string {
  const main = fullest(result.comparisons);
  const others = result.comparisons.filter(
    ({ verdict }) => verdict !== 'no clear difference' && verdict !== main?.verdict,
  );
  const more = others.map(
    ({ start, verdict, difference }) =>
      ` Starting from the pre-trained ${startNames[start]} alone ${verdict}: ${metricNames[metric]} changed by ${ranged(difference, signed)}.`,
  );
  return fullestSentence(result, metric) + more.join('');
}

function fullestSentence(result: Unworded, metric: StudyMetric): string {
  const labels = `With ${percent(result.fraction)} of the labels (${images(result.trainImages)})`;
  const comparison = fullest(result.comparisons);
  if (comparison === undefined) {
    return `${labels}, there is no verdict yet: no run from pre-trained weights is finished together with its partner from random weights.`;
  }
  const { difference, verdict } = comparison;
  const from = `${labels}, starting from the pre-trained ${startNames[comparison.start]}`;
  const change = `${metricNames[metric]} changed by ${signed(difference.mean)}`;
  if (difference.perSeed.length < 2 || difference.interval === null) {
    return `${from}, there is no verdict: ${change}, but from ${seeds(difference)} the luck of training cannot be told from the effect of the start.`;
  }
  const interval = `95 % interval ${signed(difference.interval[0])} to ${signed(difference.interval[1])}, ${seeds(difference)}`;
  switch (verdict) {
    case 'helped':
      return `${from} helped: ${change} against random weights (${interval}).`;
    case 'hurt':
      return `${from} hurt: ${change} against random weights (${interval}).`;
    case 'no clear difference':
      return `${from} made no clear difference: ${change} against random weights, and the interval includes zero (${interval}).`;
  }
}

/** The whole study as a Markdown page: table, verdicts, and how the numbers came about. */
export function studyMarkdown(name: string, result: StudyResult): string {
  const head = [
    '| labels | start | mean IoU | mean Dice | difference to random | verdict |',
    '| --- | --- | --- | --- | --- | --- |',
  ];
  const rows = result.fractions.flatMap((fraction) =>
    fraction.starts.map((start) => {
      const comparison = fraction.comparisons.find((other) => other.start === start.start);
      const cells = [
        `${percent(fraction.fraction)} (${images(fraction.trainImages)})`,
        start.start,
        ranged(start.meanIou, plain),
        ranged(start.meanDice, plain),
        comparison === undefined ? '' : ranged(comparison.difference, signed),
        comparison?.verdict ?? '',
      ];
      return `| ${cells.join(' | ')} |`;
    }),
  );
  const verdicts = result.fractions.map(({ sentence }) => `- ${sentence}`);
  const state =
    result.cellsDone === result.cells
      ? []
      : [
          `${result.cellsDone} of ${result.cells} runs are finished; the numbers are provisional.`,
          '',
        ];
  return [
    `# Study ${name}`,
    '',
    ...state,
    ...verdicts,
    '',
    ...head,
    ...rows,
    '',
    studyMethod(result),
    '',
  ].join('\n');
}

/** How to read the numbers. */
export function studyMethod(result: StudyResult): string {
  const part = result.measuredOn === 'test' ? 'test' : 'validation';
  const groups =
    result.heldOutGroups === result.heldOutImages
      ? ''
      : ` in ${result.heldOutGroups} groups, which are drawn as one`;
  return (
    `Scores are measured on ${result.heldOutImages} whole ${part} images${groups}; a class without an example is in no mean. ` +
    `The runs of a pair share network, labelled images, crops, steps and test images and differ in the start only. ` +
    `Differences are in ${metricNames[result.metric]}. ` +
    `An interval is mean +- t * sqrt(V_images + V_seeds): the variance of the mean over bootstrap resamples of the test images, plus the variance between seeds divided by their number, with Student's t for so few seeds. ` +
    `Three seeds can give t up to 4.3, so only differences that are large against the spread between seeds count as help or harm; resampling three seeds instead would call one chance result in four a difference. ` +
    `Verdicts are not corrected for the number of comparisons.`
  );
}

/** The comparison of the start that takes over most. */
export function fullest(comparisons: readonly Comparison[]): Comparison | undefined {
  const order: readonly Start[] = ['encoder+decoder', 'encoder', 'file'];
  return order.flatMap((start) => comparisons.filter((other) => other.start === start))[0];
}

/** A mean with its interval. */
export function ranged({ mean, interval }: Estimate, text: (value: number) => string): string {
  return interval === null
    ? text(mean)
    : `${text(mean)} (${text(interval[0])} to ${text(interval[1])})`;
}

function plain(value: number): string {
  return Math.min(1, Math.max(0, value)).toFixed(3);
}

/** A difference with its sign. */
export function signed(value: number): string {
  return `${value < 0 ? '-' : '+'}${Math.abs(value).toFixed(3)}`;
}

/** A share as people read it. */
export function percent(share: number): string {
  return `${Number((100 * share).toFixed(2))} %`;
}

function images(count: number): string {
  return count === 1 ? '1 image' : `${count} images`;
}

function seeds({ perSeed }: Estimate): string {
  return perSeed.length === 1 ? 'one seed' : `${perSeed.length} seeds`;
}

export const metricNames = { meanIou: 'mean IoU', meanDice: 'mean Dice' } as const;

/** What a start takes over, in words. */
export const startNames = {
  random: 'random weights',
  encoder: 'encoder',
  'encoder+decoder': 'encoder and decoder',
  file: 'weights file',
} as const satisfies Record<Start, string>;
