import * as v from 'valibot';
import type { Project } from '../project/project.ts';
import type { StudyRow } from '../project/studies.ts';
import { finetuneConfigSchema } from './config.ts';
import { studyInputSchema } from './study.ts';
import { percent } from './study-text.ts';

/** The command that does a study again, with every setting that is not the method's default. */
export function studyCommand(project: Project, { name, config }: StudyRow): string {
  const { pretrainRun, weightsFile, fractions, starts, seeds, metric, finetune } = v.parse(
    studyInputSchema,
    config,
  );
  const run = pretrainRun === undefined ? undefined : project.runs.get(pretrainRun);
  const words = [
    'decon study',
    ...(run === undefined ? [] : [quoted(run.name)]),
    `--name ${quoted(`${name} again`)}`,
    `--fractions ${fractions.map((share) => percent(share).replace(' ', '')).join(',')}`,
    `--starts ${starts.join(',')}`,
    `--seeds ${seeds.join(',')}`,
    `--metric ${metric}`,
    ...(weightsFile === undefined ? [] : [`--weights ${quoted(weightsFile)}`]),
    ...settingsOf(finetune),
  ];
  return words.join(' ');
}

/** What differs from the defaults; share, start and seed are the study's. */
function settingsOf(finetune: Readonly<Record<string, unknown>>): string[] {
  const defaults: Readonly<Record<string, unknown>> = v.parse(finetuneConfigSchema, {});
  const ofStudy = new Set(['start', 'fraction', 'seed']);
  return Object.entries(finetune)
    .filter(([key, value]) => !ofStudy.has(key) && text(value) !== text(defaults[key]))
    .map(([key, value]) => `--set ${key}=${quoted(text(value))}`);
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function quoted(word: string): string {
  return /^[\w./+-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
