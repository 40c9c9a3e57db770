import { resolve } from 'node:path';
import * as v from 'valibot';
import type { ImportOptions } from '../../datasets/import-types.ts';
import type { Project } from '../../project/project.ts';
import { jsonObject } from '../../project/values.ts';
import { defineCommand, usageError } from '../command.ts';
import { formatDuration, formatFigure, formatTable } from '../format.ts';
import { withProject } from '../open-project.ts';
import { choice, integer, shares, text } from '../options.ts';
import type { Output } from '../output.ts';
import { runJob } from '../run-job.ts';

const shownProblems = 20;

const range = v.object({ min: v.number(), median: v.number(), max: v.number() });
const resultSchema = v.object({
  found: v.number(),
  usable: v.number(),
  skipped: v.number(),
  duplicates: v.number(),
  unchanged: v.number(),
  masks: v.number(),
  problems: v.record(v.string(), v.number()),
  seconds: v.number(),
  fingerprint: v.object({
    splits: v.record(v.string(), v.number()),
    groups: v.number(),
    formats: v.record(v.string(), v.number()),
    widthPx: range,
    heightPx: range,
    classes: v.array(
      v.object({ index: v.number(), name: v.string(), share: v.number(), images: v.number() }),
    ),
    warnings: v.array(v.string()),
  }),
});
type ImportResult = v.InferOutput<typeof resultSchema>;

export const importCommand = defineCommand({
  name: 'import',
  summary: 'Read a folder of images and masks into the project',
  details:
    'The files stay where they are and are only read. A folder with images/, masks/, classes.json\n' +
    'and split.json is understood as a whole. Importing again reads only what has changed.',
  arguments: [{ name: 'FOLDER', help: 'the folder of images, or of images and masks' }],
  options: {
    masks: text('PATH', 'a folder of masks, or a COCO JSON file'),
    maskFormat: choice(
      ['index', 'palette', 'rgb', 'coco'],
      'the kind of masks (default: told from them)',
    ),
    classes: text('FILE', 'a JSON file that names the classes'),
    splitFile: text('FILE', 'a JSON file that says which image is for what'),
    splitShares: shares('shares of the labels for training, validation and test (70%,15%,15%)'),
    groupBy: text(
      'folder|none|PATTERN',
      'what belongs together and is never split: the folder, nothing, or a regular expression with brackets around the group',
    ),
    seed: integer('seed of the split'),
  },
  examples: [
    'decon import ~/cells',
    'decon import ~/scans/images --masks ~/scans/masks --group-by "^(patient[0-9]+)"',
  ],
  run: ({ options, words: [folder = ''], output }) =>
    withProject(options.project, async (project) => {
      const importOptions: ImportOptions = {
        imagesPath: resolve(folder),
        ...(options.masks === undefined ? {} : { masksPath: resolve(options.masks) }),
        ...(options.maskFormat === undefined ? {} : { maskFormat: options.maskFormat }),
        ...(options.classes === undefined ? {} : { classesFile: resolve(options.classes) }),
        ...(options.splitFile === undefined ? {} : { splitFile: resolve(options.splitFile) }),
        ...(options.groupBy === undefined ? {} : { groupBy: groupByOf(options.groupBy) }),
        ...(options.splitShares === undefined
          ? {}
          : { splitShares: sharesOf(options.splitShares) }),
        ...(options.seed === undefined ? {} : { seed: options.seed }),
      };
      const job = { type: 'import', options: { ...importOptions } } as const;
      const { result } = await runJob(project, job, output);
      output.record('imported', v.parse(jsonObject, result));
      show(project, v.parse(resultSchema, result), output);
    }),
});

function show(project: Project, result: ImportResult, output: Output): void {
  const { fingerprint } = result;
  const { widthPx, heightPx } = fingerprint;
  output.text(
    `Found ${result.found} images in ${formatDuration(result.seconds)}: ${result.usable} usable, ` +
      `${result.skipped} skipped, ${result.duplicates} duplicates; ${result.masks} have a mask.`,
  );
  output.text(
    `Sizes ${widthPx.min} x ${heightPx.min} to ${widthPx.max} x ${heightPx.max} px, formats ${counted(fingerprint.formats)}.`,
  );
  output.text(`Parts: ${counted(fingerprint.splits)}; ${fingerprint.groups} groups.`);
  if (fingerprint.classes.length > 0) {
    const rows = fingerprint.classes.map(({ index, name, share, images }) => [
      String(index),
      name,
      `${formatFigure(share * 100)} %`,
      String(images),
    ]);
    output.text(`\n${formatTable([['class', 'name', 'of all pixels', 'images'], ...rows])}`);
  }
  for (const warning of fingerprint.warnings) output.text(warning);
  showProblems(project, result.problems, output);
}

function showProblems(
  project: Project,
  counts: Readonly<Record<string, number>>,
  output: Output,
): void {
  const problems = project.importProblems.list();
  for (const problem of problems) output.record('problem', { ...problem });
  if (problems.length === 0) return;
  output.text(`\nWorth knowing: ${counted(counts)}.`);
  for (const { path, message } of problems.slice(0, shownProblems)) {
    output.text(`  ${path}: ${message}`);
  }
  if (problems.length > shownProblems) {
    output.text(`  ... and ${problems.length - shownProblems} more; --json lists them all.`);
  }
}

function groupByOf(word: string): NonNullable<ImportOptions['groupBy']> {
  return word === 'folder' || word === 'none' ? { type: word } : { type: 'pattern', pattern: word };
}

function sharesOf(given: readonly number[]): NonNullable<ImportOptions['splitShares']> {
  const [train, val, test, ...more] = given;
  const isWhole = Math.abs(given.reduce((sum, share) => sum + share, 0) - 1) < 1e-6;
  if (
    train === undefined ||
    val === undefined ||
    test === undefined ||
    more.length > 0 ||
    !isWhole
  ) {
    throw usageError('import', '--split-shares needs three shares that add up to 100%.');
  }
  return { train, val, test };
}

function counted(counts: Readonly<Record<string, number>>): string {
  return Object.entries(counts)
    .filter(([, count]) => count > 0)
    .map(([name, count]) => `${count} ${name}`)
    .join(', ');
}
