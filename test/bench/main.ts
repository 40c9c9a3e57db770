/**
 * Measures training steps and predictions of fixed sizes, alone or beside PyTorch, and a whole job
 * beside its bare step. `docs/dev/performance.md` tells what the cases are.
 *
 *   npm run bench -- CASE... [--device cpu] [--threads N] [--rounds 7] [--steps N]
 *     [--against torch] [--torch-settings SETTINGS] [--profile] [--json]
 */
import { availableParallelism, cpus, loadavg } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import * as v from 'valibot';
import { DEVICE_NAMES } from '../../src-main/graph/device-report.ts';
import { messageOf } from '../../src-main/lib/errors.ts';
import { CASES, CaseNameSchema, type CaseName } from './cases.ts';
import { rounded } from './figures.ts';
import { jobText, measureJob, type JobImages } from './job.ts';
import { measureCase, type MeasureOptions } from './measure.ts';
import { caseText } from './print.ts';
import type { TorchProgram } from './torch.ts';

const shared = process.env['DECON_SHARED'] ?? join(import.meta.dirname, '../../../shared');

const usage = `Usage: npm run bench -- CASE... [options]

${Object.values(CASES)
  .map(({ name, title }) => `  ${name}  ${title}`)
  .join('\n')}
  G  a whole pre-training on images beside the bare step of case A
  all: A to F

  --device NAME             ${DEVICE_NAMES.join(', ')} (default: cpu)
  --threads N               of both sides (default: all cores)
  --precision half          products in 16-bit numbers, where the device has them
  --rounds N                how often the sides take turns (default: 7)
  --steps N                 timed steps of a round (default: the case's)
  --profile                 tell where our time goes, by family of operators
  --json                    print one line of JSON
  --against torch           measure PyTorch as well
  --torch-settings WORDS    options of it, e.g. "channels-last amp device=cuda"; may be repeated
  --torch-file FILE         its program (default: ../shared/bench/torch_step.py)
  --python FILE             what runs it (default: python3)
  --torch-command COMMAND   a program that takes the place of both
  --images FOLDER           G: images to import, with or without masks
  --project FOLDER          G: a project that has images; the run is added to it
  --job-steps N             G: length of the job (default: 60)
`;

const count = v.pipe(v.string(), v.toNumber(), v.integer(), v.minValue(1));
const OptionsSchema = v.object({
  device: v.picklist(DEVICE_NAMES),
  threads: v.optional(count),
  precision: v.picklist(['single', 'half']),
  rounds: count,
  steps: v.optional(count),
  profile: v.boolean(),
  json: v.boolean(),
  against: v.optional(v.literal('torch')),
  'torch-settings': v.optional(v.array(v.string())),
  'torch-file': v.string(),
  python: v.string(),
  'torch-command': v.optional(v.string()),
  images: v.optional(v.string()),
  project: v.optional(v.string()),
  'job-steps': count,
});
type Options = v.InferOutput<typeof OptionsSchema>;

try {
  const { values, positionals } = readArguments();
  await run(v.parse(OptionsSchema, values), positionals.flatMap(caseNames));
} catch (error) {
  console.error(messageOf(error));
  process.exitCode = 1;
}

function readArguments() {
  return parseArgs({
    allowPositionals: true,
    options: {
      device: { type: 'string', default: 'cpu' },
      threads: { type: 'string' },
      precision: { type: 'string', default: 'single' },
      rounds: { type: 'string', default: '7' },
      steps: { type: 'string' },
      profile: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      against: { type: 'string' },
      'torch-settings': { type: 'string', multiple: true },
      'torch-file': { type: 'string', default: join(shared, 'bench/torch_step.py') },
      python: { type: 'string', default: 'python3' },
      'torch-command': { type: 'string' },
      images: { type: 'string' },
      project: { type: 'string' },
      'job-steps': { type: 'string', default: '60' },
    },
  });
}

function caseNames(word: string): readonly (CaseName | 'G')[] {
  const name = word.toUpperCase();
  if (name === 'ALL') return Object.values(CASES).map((bench) => bench.name);
  if (name === 'G') return ['G'];
  const result = v.safeParse(CaseNameSchema, name);
  if (result.success) return [result.output];
  throw new Error(`There is no case "${word}".\n\n${usage}`);
}

async function run(options: Options, names: readonly (CaseName | 'G')[]): Promise<void> {
  if (names.length === 0) throw new Error(usage);
  const measure = measureOptions(options);
  const all: object[] = [];
  for (const name of names) {
    const { figures, text } = await measured(name, options, measure);
    all.push(figures);
    if (!options.json) console.log(`\n${text}`);
  }
  if (options.json) console.log(JSON.stringify({ ...machine(options), cases: all }));
}

async function measured(name: CaseName | 'G', options: Options, measure: MeasureOptions) {
  if (name === 'G') {
    const figures = await measureJob(imagesOf(options), options['job-steps'], measure);
    return { figures, text: jobText(figures) };
  }
  const figures = await measureCase(CASES[name], measure);
  return { figures, text: caseText(figures) };
}

function measureOptions(options: Options): MeasureOptions {
  const { device, threads, precision, rounds, steps, profile: hasProfile } = options;
  return {
    ...{ device, threads, precision, rounds, steps, hasProfile },
    torch: options.against === undefined ? undefined : torchProgram(options),
    torchSettings: options['torch-settings'],
    onRound: (sentence) => console.error(sentence),
  };
}

function torchProgram(options: Options): TorchProgram {
  const given = options['torch-command']?.split(' ').filter((word) => word !== '');
  return {
    command: given ?? [options.python, options['torch-file']],
    threads: options.threads,
  };
}

function imagesOf({ images, project }: Options): JobImages {
  if (project !== undefined) return { type: 'project', dir: project };
  if (images !== undefined) return { type: 'folder', dir: images };
  throw new Error('Case G needs images: give --images FOLDER or --project FOLDER.');
}

/** What figures depend on. */
function machine({ device, threads }: Options) {
  return {
    device,
    threads: threads ?? availableParallelism(),
    processor: cpus()[0]?.model ?? '',
    load: rounded(loadavg()[0] ?? 0, 2),
  };
}
