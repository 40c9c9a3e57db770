import { barChart } from '../inference/charts.ts';
import { renderReport, type Report, type ReportBlock } from '../inference/report.ts';
import { appVersion } from '../lib/version.ts';
import type { Project } from '../project/project.ts';
import type { StudyRow } from '../project/studies.ts';
import type { Start } from '../project/values.ts';
import type { StudyMetric, Verdict } from './intervals.ts';
import { scoreText } from './metrics.ts';
import { finetuneResultSchema } from './result.ts';
import { studyCommand } from './study-command.ts';
import type { FractionResult, StudyResult } from './study-result.ts';
import {
  fullest,
  metricNames,
  percent,
  ranged,
  signed,
  startNames,
  studyMethod,
} from './study-text.ts';
import * as v from 'valibot';

/** The study on one HTML page that needs nothing else. */
export function studyReport(project: Project, study: StudyRow, result: StudyResult): string {
  const sentences = result.fractions.map(({ sentence }) => sentence);
  const report: Report = {
    title: `Study ${study.name}`,
    subtitle: `DeCon Studio ${appVersion()} on the project ${project.name}`,
    verdict: {
      tone: toneOf(result),
      headline: headlineOf(result),
      detail: sentences.join(' '),
    },
    facts: [
      { value: `${result.cellsDone} of ${result.cells}`, label: 'trainings finished' },
      {
        value: String(result.heldOutImages),
        label: `whole ${partOf(result)} images, never trained on`,
      },
      { value: String(result.heldOutGroups), label: 'groups of images that belong together' },
    ],
    sections: [
      {
        title: 'Scores on images it never saw',
        blocks: [{ type: 'charts', svgs: [chart(result)] }, table(result)],
      },
      { title: 'Classes', blocks: classTables(project, study, result) },
      {
        title: 'How to read and repeat it',
        blocks: [
          { type: 'text', text: studyMethod(result) },
          { type: 'commands', lines: [studyCommand(project, study)] },
        ],
      },
    ],
    footer: 'Made on this computer; no picture and no number left it.',
  };
  return renderReport(report);
}

function partOf({ measuredOn }: StudyResult): string {
  return measuredOn === 'test' ? 'test' : 'validation';
}

/** Of the fullest start at each share, as the sentences; without those that cannot have one. */
function verdictsOf({ fractions }: StudyResult): ReadonlySet<Verdict> {
  const comparisons = fractions.flatMap((fraction) => fullest(fraction.comparisons) ?? []);
  const judged = comparisons.filter(({ difference }) => difference.perSeed.length > 1);
  return new Set(judged.map(({ verdict }) => verdict));
}

function toneOf(result: StudyResult): Report['verdict']['tone'] {
  const verdicts = verdictsOf(result);
  if (verdicts.has('helped') === verdicts.has('hurt')) return 'neutral';
  return verdicts.has('helped') ? 'good' : 'bad';
}

function headlineOf(result: StudyResult): string {
  const verdicts = verdictsOf(result);
  if (verdicts.size === 0) return 'There is no verdict yet';
  const some = verdicts.size === 1 ? '' : ' with some shares of the labels';
  if (verdicts.has('helped') && verdicts.has('hurt')) {
    return 'Pre-training helped with some shares of the labels and hurt with others';
  }
  if (verdicts.has('helped')) return `Pre-training helped${some}`;
  return verdicts.has('hurt')
    ? `Pre-training hurt${some}`
    : 'Pre-training made no clear difference';
}

function chart({ metric, fractions }: StudyResult): string {
  return barChart({
    title: `${metricNames[metric]} by labelled share, with 95 % intervals`,
    yLabel: metricNames[metric],
    yRange: [0, 1],
    groups: fractions.map((fraction) => ({
      label: `${percent(fraction.fraction)} (${fraction.trainImages} images)`,
      bars: fraction.starts.map((start) => {
        const { mean, interval } = start[metric];
        return {
          name: startNames[start.start],
          value: mean,
          ...(interval === null ? {} : { interval }),
        };
      }),
    })),
  });
}

/** The score that decides with its interval; the other one without, to fit the page. */
function table({ metric, fractions }: StudyResult): ReportBlock {
  const other = metric === 'meanIou' ? 'meanDice' : 'meanIou';
  const head = [metricNames[metric], metricNames[other], 'difference to random', 'verdict'];
  return {
    type: 'table',
    head: ['labels', 'start', ...head],
    rows: fractions.flatMap((fraction) =>
      fraction.starts.map((start) => row(fraction, start, [metric, other])),
    ),
  };
}

function row(
  fraction: FractionResult,
  start: FractionResult['starts'][number],
  [metric, other]: readonly [StudyMetric, StudyMetric],
): string[] {
  const comparison = fraction.comparisons.find((other) => other.start === start.start);
  const score = (value: number): string => value.toFixed(3);
  return [
    percent(fraction.fraction),
    startNames[start.start],
    ranged(start[metric], score),
    score(start[other].mean),
    comparison === undefined ? '' : ranged(comparison.difference, signed),
    comparison?.verdict ?? '',
  ];
}

/** The scores of every class, mean over the seeds, for each share. */
function classTables(project: Project, study: StudyRow, result: StudyResult): ReportBlock[] {
  const classes = project.classes.list();
  const cells = project.studies.cells(study.id).filter(({ status }) => status === 'done');
  return result.fractions.map(({ fraction, starts }) => ({
    type: 'table',
    caption: `${percent(fraction)} of the labels, IoU of each class, mean over the repetitions`,
    head: ['class', ...starts.map(({ start }) => startNames[start])],
    rows: classes.map(({ name, classIndex }) => [
      name,
      ...starts.map(({ start }) => {
        const runs = cells.filter((cell) => cell.fraction === fraction && cell.start === start);
        return scoreText(meanClassScore(project, runs, classIndex));
      }),
    ]),
  }));
}

function meanClassScore(
  project: Project,
  runs: readonly { readonly runId: string | null; readonly start: Start }[],
  classIndex: number,
): number | null {
  const values = runs.flatMap(({ runId }) => {
    const result = v.safeParse(finetuneResultSchema, project.runs.get(runId ?? '')?.result);
    if (!result.success) return [];
    const evaluation = result.output.test ?? result.output.val;
    const iou = evaluation?.scores.classes[classIndex]?.iou ?? null;
    return iou === null ? [] : [iou];
  });
  return values.length === 0 ? null : values.reduce((sum, value) => sum + value, 0) / values.length;
}
