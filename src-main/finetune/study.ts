import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import * as v from 'valibot';
import type { Device } from '../graph/types.ts';
import { AppError, assertNever, CancelledError, defined, throwIfCancelled } from '../lib/errors.ts';
import { settingsProblem } from '../lib/schema-issues.ts';
import { writeFileAtomic } from '../lib/files.ts';
import type { RunControl } from '../lib/progress.ts';
import type { Project } from '../project/project.ts';
import type { StudyCell, StudyRow } from '../project/studies.ts';
import type { JsonObject } from '../project/values.ts';
import { type FinetuneConfig, finetuneConfigSchema, parseFinetuneConfig } from './config.ts';
import { createFinetuning } from './create-run.ts';
import { finetuneResultSchema } from './result.ts';
import { studyResult } from './study-result.ts';
import { percent, studyMarkdown } from './study-text.ts';
import { runFinetuning } from './trainer.ts';

export const studyStarts = ['random', 'encoder', 'encoder+decoder', 'file'] as const;
const pretrainedStarts = ['random', 'encoder', 'encoder+decoder'] as const;

/** What a user asks of a study; the fine-tuning settings are shared by all of its runs. */
export const studyInputSchema = v.strictObject({
  /** Id of the pre-training run that `encoder` and `encoder+decoder` take their weights from. */
  pretrainRun: v.exactOptional(v.string()),
  /** Absolute path of the weights that `file` starts from. */
  weightsFile: v.exactOptional(v.string()),
  /** Shares of the labels; the paper's four. */
  fractions: v.optional(
    v.pipe(v.array(finetuneConfigSchema.entries.fraction.wrapped), v.minLength(1)),
    [0.05, 0.1, 0.25, 1],
  ),
  starts: v.optional(v.pipe(v.array(v.picklist(studyStarts)), v.minLength(1)), [
    ...pretrainedStarts,
  ]),
  /** Three seeds, as in the limited-data protocol (spec 8.3). */
  seeds: v.optional(
    v.pipe(v.array(finetuneConfigSchema.entries.seed.wrapped), v.minLength(1)),
    [0, 1, 2],
  ),
  /** The score that verdicts are about. */
  metric: v.optional(v.picklist(['meanIou', 'meanDice']), 'meanIou'),
  /** Settings of every fine-tuning; start, fraction and seed are the study's. */
  finetune: v.optional(v.record(v.string(), v.unknown()), {}),
});
export type StudyConfig = Readonly<v.InferOutput<typeof studyInputSchema>>;

/**
 * The study of this name, new or begun before, with its grid of fractions x starts x seeds. All runs
 * get the network of the pre-training run, the random start too, so that only the start differs.
 * A study that was begun is continued when nothing but the run is given, or the same settings.
 * @throws AppError `config.invalid`, `runs.missing`, `studies.bad-name`, `studies.other-settings`
 */
export function openStudy(project: Project, name: string, input: JsonObject): StudyRow {
  const existing = project.studies.findByName(name);
  const isBare = Object.keys(input).every((key) => key === 'pretrainRun');
  if (existing !== undefined && isBare && isSameRun(existing, input)) return existing;
  const config = studyConfig(project, input);
  if (existing === undefined) return createStudy(project, name, config);
  if (isDeepStrictEqual(existing.config, jsonOf(config))) return existing;
  throw new AppError(
    'studies.other-settings',
    `The study "${name}" was begun with other settings. Give none to continue it, or choose another name.`,
  );
}

function isSameRun({ config }: StudyRow, input: JsonObject): boolean {
  return input['pretrainRun'] === undefined || config['pretrainRun'] === input['pretrainRun'];
}

function createStudy(project: Project, name: string, config: StudyConfig): StudyRow {
  if (!/^[\p{L}\p{N}][\p{L}\p{N} ._-]{0,39}$/u.test(name)) {
    throw new AppError(
      'studies.bad-name',
      `A study cannot be called "${name}". Use at most 40 letters, digits, spaces, dots, dashes and underscores.`,
    );
  }
  const study = project.studies.create(name, config);
  const { fractions, seeds, starts } = config;
  project.studies.addCells(
    study.id,
    fractions.flatMap((fraction) =>
      seeds.flatMap((seed) => starts.map((start) => ({ fraction, start, seed }))),
    ),
  );
  return study;
}

/**
 * The input with every default, and the fine-tuning settings with the pre-trained network.
 * @throws AppError `config.invalid`, `runs.missing`
 */
export function studyConfig(project: Project, input: JsonObject): StudyConfig {
  const parsed = v.safeParse(studyInputSchema, input);
  if (!parsed.success) {
    throw new AppError('config.invalid', settingsProblem(parsed.issues));
  }
  requireSources(parsed.output);
  const { pretrainRun } = parsed.output;
  const parent = pretrainRun === undefined ? undefined : project.runs.get(pretrainRun);
  if (pretrainRun !== undefined && parent === undefined) {
    throw new AppError('runs.missing', 'The pre-training run of the study is not in this project.');
  }
  const finetune = parseFinetuneConfig(parsed.output.finetune, parent?.config);
  return { ...parsed.output, finetune };
}

/** Every start needs the weights it takes over. */
function requireSources({ starts, pretrainRun, weightsFile }: StudyConfig): void {
  const isMissing = starts.some((start) =>
    start === 'file' ? weightsFile === undefined : start !== 'random' && pretrainRun === undefined,
  );
  if (!isMissing) return;
  throw new AppError(
    'config.invalid',
    'A start of this study has no weights to take over. Choose a pre-training run or a weights file, or compare other starts.',
  );
}

/** As it comes back from the database. */
function jsonOf(config: StudyConfig): unknown {
  return JSON.parse(JSON.stringify(config));
}

/**
 * Trains the cells of a study that are not done yet, one after the other, and stores the table and
 * the verdicts after each. `pause` and `stop` leave the cell in training for later; a cell that
 * cannot be trained is marked failed and the others go on.
 * @throws CancelledError; the last AppError when no cell at all could be trained
 */
export async function runStudy(
  project: Project,
  studyId: string,
  device: Device,
  control: RunControl,
): Promise<void> {
  const study = defined(project.studies.get(studyId), `study ${studyId}`);
  const config = v.parse(studyInputSchema, study.config);
  const cells = inOrder(project.studies.cells(studyId));
  let failure: AppError | undefined;
  for (const [index, cell] of cells.entries()) {
    throwIfCancelled(control.signal);
    if (control.requested() !== 'none') break;
    if (cell.status === 'done') continue;
    const label = `Run ${index + 1} of ${cells.length} (${describeCell(cell)})`;
    const run = { project, study, config, cell, device };
    try {
      if (!(await runCell(run, cellControl(control, label)))) break;
      storeResult(project, study, config);
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      failure = error;
      control.notice(`${label} failed: ${error.message}`);
    }
  }
  const isAnyDone = project.studies.cells(studyId).some(({ status }) => status === 'done');
  if (failure !== undefined && !isAnyDone) throw failure;
}

/** The page of a study in the project folder; there once a cell is done. */
export function studyPage(project: Project, name: string): string {
  return project.path(`studies/${name}.md`);
}

/** The table so far, in the database and as `studies/NAME.md` and `.json` in the project folder. */
function storeResult(project: Project, { id, name }: StudyRow, config: StudyConfig): void {
  const result = studyResult(project, id, config);
  project.studies.setResult(id, result);
  const page = studyPage(project, name);
  mkdirSync(dirname(page), { recursive: true });
  const write = (path: string, text: string): void =>
    writeFileAtomic(path, [new TextEncoder().encode(text)]);
  write(page, studyMarkdown(name, result));
  write(page.replace(/md$/, 'json'), `${JSON.stringify(result, null, 2)}\n`);
}

/** Pairs first: all starts of one fraction and seed before the next seed. */
function inOrder(cells: readonly StudyCell[]): StudyCell[] {
  const rank = (start: StudyCell['start']): number => studyStarts.findIndex((s) => s === start);
  return [...cells].sort(
    (a, b) => a.fraction - b.fraction || a.seed - b.seed || rank(a.start) - rank(b.start),
  );
}

interface CellRun {
  readonly project: Project;
  readonly study: StudyRow;
  readonly config: StudyConfig;
  readonly cell: StudyCell;
  readonly device: Device;
}

/** Trains one cell to its end; false when it was paused. */
async function runCell(request: CellRun, control: RunControl): Promise<boolean> {
  const { project, device } = request;
  const isNew = request.cell.runId === null;
  const startedAt = performance.now();
  const cell = { ...request.cell, runId: request.cell.runId ?? createCellRun(request) };
  const set = (status: StudyCell['status'], scores: StudyCell['scores'] = null): void => {
    project.transaction(() => {
      project.studies.setCell({ ...cell, status, scores });
      project.runs.setStatus(cell.runId, status);
    });
  };
  set('running');
  try {
    await runFinetuning(project, cell.runId, device, control);
  } catch (error) {
    set(error instanceof CancelledError ? 'cancelled' : 'failed');
    throw error;
  }
  const result = project.runs.get(cell.runId)?.result ?? null;
  if (result === null) {
    set('paused');
    return false;
  }
  const { test, val, servedStep, steps, trainImages } = v.parse(finetuneResultSchema, result);
  const scores = defined(test ?? val, 'scores of held-out images').scores;
  set('done', {
    ...scores,
    servedStep,
    steps,
    trainImages,
    measuredOn: test === null ? 'val' : 'test',
    // From beginning to end, which tells how long the others take.
    ...(isNew ? { seconds: (performance.now() - startedAt) / 1000 } : {}),
  });
  return true;
}

/** The run of a cell. Its length is that of the study's first run, so that budgets are equal. */
function createCellRun({ project, study, config, cell }: CellRun): string {
  const first = project.studies
    .cells(study.id)
    .flatMap(({ runId }) => (runId === null ? [] : [project.runs.get(runId)]))
    .map((run) => (run === undefined ? undefined : parseFinetuneConfig(run.config)))
    .find((other) => other !== undefined && other.steps !== 'auto');
  const length = first === undefined ? {} : { steps: first.steps, evaluations: first.evaluations };
  const start = startOf(cell.start, config);
  const { fraction, seed } = cell;
  const settings = { ...config.finetune, ...length, start, fraction, seed };
  return createFinetuning(project, settings, cellName(study, cell)).id;
}

function startOf(type: StudyCell['start'], config: StudyConfig): FinetuneConfig['start'] {
  switch (type) {
    case 'random':
      return { type };
    case 'encoder':
    case 'encoder+decoder':
      return { type, run: defined(config.pretrainRun, 'the pre-training run of a study') };
    case 'file':
      return { type, path: defined(config.weightsFile, 'the weights file of a study') };
    default:
      return assertNever(type);
  }
}

/** A name that is a file name, too, e.g. `study-5-encoder-decoder-0`. */
function cellName({ name }: StudyRow, { fraction, start, seed }: StudyCell): string {
  return [name, Number((100 * fraction).toFixed(2)), start.replace('+', '-'), seed].join('-');
}

function describeCell({ fraction, start, seed }: StudyCell): string {
  return `${percent(fraction)} of the labels, ${start}, seed ${seed}`;
}

/** Stopping a study must not count a half-trained cell, so it pauses the cell instead. */
function cellControl(control: RunControl, label: string): RunControl {
  return {
    signal: control.signal,
    requested: () => (control.requested() === 'none' ? 'none' : 'pause'),
    report: (progress) => control.report({ ...progress, phase: `${label}: ${progress.phase}` }),
    notice: (message) => control.notice(`${label}: ${message}`),
  };
}
