/**
 * The demo: from the pictures in resources/demo to models, pictures and a report, through the same
 * functions and jobs as the commands. `npm run demo [-- --quick] [-- --out DIR]`
 */
import { existsSync, mkdirSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { parseFinetuneConfig } from '../finetune/config.ts';
import { CPU } from '../graph/types.ts';
import { exportRun, type ExportSummary } from '../inference/export.ts';
import { readSlotModel } from '../inference/slot-model.ts';
import { drawSlots, type SlotPictures } from '../inference/slots.ts';
import { defined } from '../lib/errors.ts';
import { openLog, userLogFolder } from '../lib/log.ts';
import { demoFolder } from '../lib/program-entries.ts';
import { readRunSettings } from '../pretrain/run-settings.ts';
import { createProject, type Project } from '../project/project.ts';
import type { JsonObject } from '../project/values.ts';
import type { RunRow } from '../project/runs.ts';
import { demoPlan, type DemoPlan } from './demo-plan.ts';
import { writeDemoReport } from './demo-report.ts';
import { scoredStart, type ScoredStart } from './demo-scores.ts';
import { formatDuration, formatTable } from './format.ts';
import { createTextOutput, exitCodes, type Output } from './output.ts';
import { runJob } from './run-job.ts';
import { runTraining } from './run-training.ts';

/** Everything the demo made, for its report. */
export interface DemoResult {
  readonly project: Project;
  readonly folder: string;
  readonly plan: DemoPlan;
  readonly pretraining: RunRow;
  readonly starts: readonly [random: ScoredStart, pretrained: ScoredStart];
  readonly slots: SlotPictures;
  readonly model: ExportSummary;
  readonly seconds: number;
  readonly cores: number;
}

const device = 'cpu';
const license = 'CC0-1.0 (trained on CC0 pictures only)';

async function main(argv: readonly string[]): Promise<number> {
  const output = createTextOutput();
  try {
    openLog(process.env['DECON_LOG_DIR'] ?? userLogFolder());
    const { values } = parseArgs({
      args: [...argv],
      options: { quick: { type: 'boolean', default: false }, out: { type: 'string' } },
    });
    await runDemo(demoPlan(values.quick), freeFolder(values.out ?? 'demo-output'), output);
    return exitCodes.done;
  } catch (error) {
    return output.failure(error);
  }
}

async function runDemo(plan: DemoPlan, folder: string, output: Output): Promise<void> {
  const started = performance.now();
  mkdirSync(folder, { recursive: true });
  const project = createProject(join(folder, 'nuclei.decon'));
  try {
    output.text(`1 of 6: import, into ${project.dir}`);
    const options = { imagesPath: demoFolder };
    await runJob(project, { type: 'import', options }, output);

    output.text('2 of 6: learn encoder and decoder from the training pictures, without labels');
    const pretraining = await pretrain(project, plan, output);

    output.text('3 of 6: fine-tune with 10 % of the labels, from random and from the pre-training');
    const random = await finetune(project, plan.finetune, undefined, output);
    // As many steps as the first got from its time budget: only the start may differ.
    const sameLength = { ...plan.finetune, steps: random.config['steps'] };
    const pretrained = await finetune(project, sameLength, pretraining, output);

    output.text('4 of 6: segment the test pictures');
    await predict(project, pretrained, join(folder, 'predictions'), output);

    output.text('5 of 6: draw the slots');
    const slots = await drawSlots(readSlotModel(project, pretraining), {
      imagePath: slotPicture(project),
      outDir: join(folder, 'slots'),
      device: CPU,
    });

    output.text('6 of 6: export and check the model');
    const outDir = join(folder, 'model');
    const model = await exportRun(project, pretrained.id, { target: 'onnx', outDir, license });
    const result: DemoResult = {
      project,
      folder,
      plan,
      pretraining,
      starts: [scoredStart(project, random), scoredStart(project, pretrained)],
      slots,
      model,
      seconds: (performance.now() - started) / 1000,
      cores: availableParallelism(),
    };
    const report = await writeDemoReport(result);
    output.text(`\n${scoreTable(result)}\n\n${report.verdict}\n`);
    output.text(`Report: ${report.path}`);
    output.text(`Model:  ${model.files[0]?.path ?? ''}`);
    output.text(`Done in ${formatDuration(result.seconds)}.`);
  } finally {
    project.dispose();
  }
}

async function pretrain(project: Project, plan: DemoPlan, output: Output): Promise<RunRow> {
  const settings = readRunSettings(plan.pretrain);
  const config = settings.type === 'asked' ? settings.options : settings.config;
  const { seed } = config;
  const run = project.runs.create({
    kind: 'pretrain',
    name: 'decon-ml',
    config,
    seed,
    start: 'random',
  });
  return trained(project, run, output);
}

async function finetune(
  project: Project,
  settings: JsonObject,
  parent: RunRow | undefined,
  output: Output,
): Promise<RunRow> {
  const start = parent === undefined ? 'random' : 'encoder+decoder';
  const from = parent === undefined ? { type: 'random' } : { type: start, run: parent.id };
  const config = parseFinetuneConfig({ ...settings, start: from }, parent?.config);
  const run = project.runs.create({
    kind: 'finetune',
    name: parent === undefined ? 'from-random' : 'from-decon-ml',
    config,
    seed: config.seed,
    start,
    ...(parent === undefined ? {} : { parentRunId: parent.id }),
  });
  return trained(project, run, output);
}

async function trained(project: Project, run: RunRow, output: Output): Promise<RunRow> {
  await runTraining(project, { runId: run.id, options: { device } }, output);
  return defined(project.runs.get(run.id), run.name);
}

async function predict(
  project: Project,
  run: RunRow,
  outDir: string,
  output: Output,
): Promise<void> {
  const inputs = project.images
    .list({ split: 'test' })
    .map((image) => project.images.pathOf(image));
  const model = { type: 'run', runId: run.id };
  await runJob(project, { type: 'predict', options: { model, device, inputs, outDir } }, output);
}

/** The first stained (color) test picture: more to tell apart than nuclei on black. */
function slotPicture(project: Project): string {
  const images = project.images.list({ split: 'test', status: 'usable' });
  const stained = images.find((image) => image.channels === 3) ?? images[0];
  return project.images.pathOf(defined(stained, 'test picture'));
}

function scoreTable({ starts }: DemoResult): string {
  const figure = (value: number | null): string => value?.toFixed(3) ?? 'no example';
  return formatTable([
    ['start', 'Dice of nuclei', 'mean IoU', 'steps', 'training time'],
    ...starts.map(({ label, dice, meanIou, steps, seconds }) => [
      label,
      figure(dice),
      figure(meanIou),
      String(steps),
      formatDuration(seconds),
    ]),
  ]);
}

/** The folder itself, or the first free name after it: nothing is ever overwritten. */
function freeFolder(wanted: string): string {
  let folder = resolve(wanted);
  for (let number = 2; existsSync(folder); number++) folder = resolve(`${wanted}-${number}`);
  return folder;
}

process.exitCode = await main(process.argv.slice(2));
