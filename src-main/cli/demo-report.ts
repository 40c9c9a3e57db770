import { mkdirSync, readFileSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { openImageMask } from '../datasets/class-mask.ts';
import { decodeImage } from '../datasets/decode.ts';
import { encodePicture } from '../datasets/encode.ts';
import { CPU } from '../graph/types.ts';
import {
  countPixels,
  createConfusion,
  classCounts,
  scoreText,
  segmentationScores,
} from '../finetune/metrics.ts';
import { barChart, lineChart, smoothed, type Series } from '../inference/charts.ts';
import type { ModelClass } from '../inference/classes.ts';
import { brightened, paintClasses } from '../inference/comparison.ts';
import { renderReport, type Report, type ReportPicture } from '../inference/report.ts';
import { loadRunModel } from '../inference/run-model.ts';
import { predictImage, type RgbImage } from '../inference/tiles.ts';
import { defined } from '../lib/errors.ts';
import { writeFileAtomic } from '../lib/files.ts';
import { appVersion } from '../lib/version.ts';
import type { ImageRow } from '../project/images.ts';
import type { Project } from '../project/project.ts';
import type { DemoResult } from './demo.ts';
import { compareStarts } from './demo-scores.ts';
import { formatBytes, formatDuration } from './format.ts';

const comparedPictures = 6;
const shown = { opacity: 0.4, maxSidePx: 420 };

/** Writes the curves as SVG files and everything as one page. */
export async function writeDemoReport(
  result: DemoResult,
): Promise<{ readonly path: string; readonly verdict: string }> {
  const verdict = compareStarts(result.starts, result.plan.isQuick);
  const charts = chartsOf(result);
  const curves = join(result.folder, 'curves');
  mkdirSync(curves);
  for (const [name, svg] of Object.entries(charts)) writeText(join(curves, `${name}.svg`), svg);
  const [random, pretrained] = result.starts;
  const report: Report = {
    title: 'From pictures without labels to a model',
    subtitle: `DeCon Studio ${appVersion()} on ${result.project.images.count()} microscope pictures of cell nuclei`,
    verdict,
    facts: [
      {
        value: scoreText(pretrained.dice),
        label: 'Dice of nuclei, pre-trained encoder and decoder',
      },
      { value: scoreText(random.dice), label: 'Dice of nuclei, random start' },
      {
        value: `${random.trainImages} of ${result.project.images.count({ split: 'train' })}`,
        label: 'training pictures whose labels were used',
      },
      { value: formatDuration(result.seconds), label: `in all, on ${result.cores} CPU cores` },
    ],
    sections: [
      {
        title: 'Scores on pictures it never saw',
        blocks: [scoreTable(result), { type: 'charts', svgs: [charts.scores, charts.finetuning] }],
      },
      { title: 'What the models see', blocks: [pictureNote, await comparison(result)] },
      {
        title: 'Learning without labels',
        blocks: [
          pretrainingText(result),
          { type: 'charts', svgs: [charts.pretraining, charts.levels] },
        ],
      },
      {
        title: 'Slots: what belongs together, found without labels',
        blocks: [slotNote, slotSheet(result)],
      },
      { title: 'Files and how to repeat it', blocks: [files(result), commands(result)] },
    ],
    footer: 'Pictures: 2018 Data Science Bowl, Carpenter lab, Broad Institute (BBBC038), CC0 1.0.',
  };
  const path = join(result.folder, 'report.html');
  writeText(path, renderReport(report));
  return { path, verdict: `${verdict.headline}. ${verdict.detail}` };
}

function scoreTable({ starts }: DemoResult): Report['sections'][number]['blocks'][number] {
  return {
    type: 'table',
    caption: `${starts[0].cell.groups.length} whole test pictures, used for nothing else`,
    head: ['start', 'Dice of nuclei', 'IoU of nuclei', 'mean IoU', 'steps', 'training time'],
    rows: starts.map(({ label, dice, iou, meanIou, steps, seconds }) => [
      label,
      scoreText(dice),
      scoreText(iou),
      scoreText(meanIou),
      String(steps),
      formatDuration(seconds),
    ]),
  };
}

function chartsOf({ project, pretraining, starts }: DemoResult) {
  const metrics = project.runMetrics.list(pretraining.id);
  const points = (name: string): Series['points'] =>
    metrics.flatMap(({ step, values }) => {
      const value = values[name];
      return value === undefined ? [] : [[step, value] as const];
    });
  const widthPx = 560;
  const levels = ['encoder', 'level0', 'level1', 'level2', 'level3'];
  const names = ['encoder', 'decoder p2', 'decoder p3', 'decoder p4', 'decoder p5'];
  const total = points('loss.total');
  return {
    pretraining: lineChart({
      title: 'Pre-training: total loss',
      xLabel: 'step',
      yLabel: 'loss',
      widthPx,
      series: [
        { name: 'each step', points: total, faint: true, color: 0 },
        { name: 'smoothed', points: smoothed(total, 0.3), color: 0 },
      ],
    }),
    levels: lineChart({
      title: 'Pre-training: loss at each level',
      xLabel: 'step',
      yLabel: 'loss',
      widthPx,
      series: levels.map((level, i) => ({
        name: names[i] ?? level,
        points: smoothed(points(`loss.${level}`), 0.3),
      })),
    }),
    finetuning: lineChart({
      title: 'Fine-tuning: quick estimate on validation pictures',
      xLabel: 'step',
      yLabel: 'mean IoU',
      widthPx,
      series: starts.map(({ label, run }) => ({
        name: label,
        points: project.runMetrics.list(run.id).flatMap(({ step, values }) => {
          const value = values['quickMeanIou'];
          return value === undefined ? [] : [[step, value] as const];
        }),
      })),
    }),
    scores: barChart({
      title: 'Test pictures',
      yLabel: 'score',
      widthPx,
      yRange: [0, 1],
      groups: [
        { label: 'Dice of nuclei', bars: starts.map(({ label, dice }) => bar(label, dice)) },
        { label: 'mean IoU', bars: starts.map(({ label, meanIou }) => bar(label, meanIou)) },
      ],
    }),
  };
}

function bar(name: string, value: number | null) {
  return { name, ...(value === null ? {} : { value }) };
}

/** Picture, labels and both models' answers, from the darkest to the brightest test pictures. */
async function comparison(
  result: DemoResult,
): Promise<Report['sections'][number]['blocks'][number]> {
  const { project, starts } = result;
  const classes = project.classes
    .list()
    .map(({ classIndex, name, color }) => ({ index: classIndex, name, color }));
  const models = [];
  for (const { run } of starts) models.push(await loadRunModel(project, run.id, CPU));
  try {
    const rows: ReportPicture[][] = [];
    for (const row of chosenPictures(project)) {
      const image = await decodeImage(project.images.pathOf(row));
      const labels = defined(await openImageMask(project, row.id), 'mask');
      const truth = await labels.readRows(0, labels.heightPx);
      const paint = painter(image, classes);
      const answers = [];
      for (const [i, { predictor }] of models.entries()) {
        const { classMap } = await predictImage(predictor, image);
        const label = defined(starts[i], 'start').label;
        const dice = scoreText(diceOf(classMap, truth, classes.length));
        answers.push(await paint(classMap, `${row.relPath}, ${label}`, `Dice ${dice}`));
      }
      rows.push([
        await paint(undefined, row.relPath, row.relPath),
        await paint(truth, `${row.relPath}, labels`),
        ...answers,
      ]);
    }
    return { type: 'comparison', head: ['picture', 'labels', 'random start', 'pre-trained'], rows };
  } finally {
    for (const model of models) await model.dispose();
  }
}

function painter(image: RgbImage, classes: readonly ModelClass[]) {
  const base = brightened(image);
  return async (
    classMap: Uint8Array | undefined,
    alt: string,
    caption?: string,
  ): Promise<ReportPicture> => {
    const none = new Uint8Array(image.widthPx * image.heightPx).fill(255);
    const painted = await paintClasses(base, classMap ?? none, classes, shown);
    const bytes = await encodePicture(painted, 'jpg');
    return { bytes, alt, ...(caption === undefined ? {} : { caption }) };
  };
}

/** Evenly spread over the test pictures ordered by brightness, so that every kind is shown. */
function chosenPictures(project: Project): readonly ImageRow[] {
  const brightness = (image: ImageRow): number => {
    const { intensity } = image.facts;
    const isMeasured = typeof intensity === 'object' && intensity !== null && 'mean' in intensity;
    return isMeasured ? Number(intensity.mean) : 0;
  };
  const images = project.images
    .list({ split: 'test', status: 'usable', hasMask: true })
    .sort((a, b) => brightness(a) - brightness(b));
  const step = images.length / comparedPictures;
  return images.filter((_, i) => Math.floor(i / step) !== Math.floor((i - 1) / step));
}

function diceOf(predicted: Uint8Array, truth: Uint8Array, classCount: number): number | null {
  const confusion = createConfusion(classCount);
  countPixels(confusion, predicted, truth);
  return segmentationScores(classCounts(confusion)).classes[1]?.dice ?? null;
}

function pretrainingText({ project, pretraining }: DemoResult) {
  const images = project.images.count({ split: 'train', status: 'usable' });
  const health = pretraining.result?.['health'];
  const verdict = typeof health === 'string' ? ` Health at the end: ${health}.` : '';
  return {
    type: 'text',
    text: `DeCon-ML trained encoder and decoder together on ${images} pictures without their labels: ${pretraining.step} steps.${verdict}`,
  } as const;
}

function slotSheet({ slots }: DemoResult): Report['sections'][number]['blocks'][number] {
  const bytes = readFileSync(join(slots.folder, slots.sheet));
  const alt =
    'A test picture, its slots at the encoder and at each decoder level, and the slot that matches across them';
  return { type: 'picture', picture: { bytes, alt } };
}

function files(result: DemoResult): Report['sections'][number]['blocks'][number] {
  const { folder, model, project } = result;
  const link = (path: string): string => relative(folder, path).split(sep).join('/');
  const difference = model.maxDifference?.toExponential(1) ?? '';
  return {
    type: 'files',
    files: [
      ...model.files.map(({ path, bytes }) => ({
        href: link(path),
        note: `the model, ${formatBytes(bytes)}, checked against the trained network (largest difference ${difference})`,
      })),
      { href: link(model.card), note: 'its card: classes, scores, data, how to use it' },
      { href: 'predictions/overlays', note: 'all test pictures with the nuclei painted in' },
      { href: 'predictions/masks', note: 'masks with a color table' },
      { href: 'predictions/areas.csv', note: 'nuclei area of each picture' },
      { href: 'slots', note: 'slot pictures, one a level' },
      { href: 'curves', note: 'the curves as SVG' },
      { href: link(project.dir), note: 'the project: open it with any decon command' },
    ],
  };
}

function commands({ plan }: DemoResult): Report['sections'][number]['blocks'][number] {
  const set = (values: Readonly<Record<string, unknown>>): string =>
    Object.entries(values)
      .map(([name, value]) => `--set '${name}=${JSON.stringify(value)}'`)
      .join(' ');
  return {
    type: 'commands',
    lines: [
      'decon init nuclei.decon',
      'decon import resources/demo',
      `decon pretrain --name decon-ml ${set(plan.pretrain)}`,
      `decon finetune --name from-random ${set(plan.finetune)}`,
      `decon finetune --name from-decon-ml --from decon-ml ${set(plan.finetune)}`,
      'decon predict from-decon-ml resources/demo/images --out predictions',
      'decon export from-decon-ml',
    ],
  };
}

function writeText(path: string, text: string): void {
  writeFileAtomic(path, [new TextEncoder().encode(text)]);
}

const pictureNote = {
  type: 'text',
  text: 'Test pictures from the darkest to the brightest, brightened here so that the eye sees what the numbers see. The models got them as they are.',
} as const;

const slotNote = {
  type: 'text',
  text: 'Each color is one slot: pixels that the network holds to be of one kind. Above all slots, below the one that covers most pixels at the encoder and the slot that matches it best at each decoder level.',
} as const;
