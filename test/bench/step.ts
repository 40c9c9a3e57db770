/**
 * Times the DeCon-ML training step (ResNet-18, FPN, four levels, 128 px, batch 16, hidden 512, 128
 * dimensions, 64 prototypes, LARS), beside the PyTorch step of the same sizes where that is there.
 * Both are run in turn, so that a slow spell of the machine meets both.
 *
 *   node test/bench/step.ts [--rounds 3] [--steps 3] [--against PYTHON_FILE] [--json]
 */
import { spawnSync } from 'node:child_process';
import { parseArgs } from 'node:util';
import * as v from 'valibot';
import { compileStep } from '../../src-main/graph/compile.ts';
import type { HostData, TensorSpec } from '../../src-main/graph/types.ts';
import { Random } from '../../src-main/lib/random.ts';
import { initOptimizer } from '../../src-main/nn/optimizers.ts';
import { PretrainOptionsSchema, resolvePretrainConfig } from '../../src-main/pretrain/config.ts';
import { initPretrainState, isStudentParameter } from '../../src-main/pretrain/state.ts';
import { buildPretrainStep, pretrainBatchSpecs } from '../../src-main/pretrain/step.ts';

const CASE_A = [
  ...['--encoder', 'resnet18', '--decoder', 'fpn', '--levels', 'multi', '--size', '128'],
  ...['--batch', '16', '--hidden', '512', '--dim', '128', '--prototypes', '64'],
  ...['--optimizer', 'lars', '--json', '--warmup', '1'],
];

const TorchReport = v.object({
  torch: v.string(),
  ms: v.object({ median: v.number() }),
  peak_mib: v.number(),
});

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '3' },
    steps: { type: 'string', default: '3' },
    against: { type: 'string' },
    python: { type: 'string', default: '/usr/bin/python3' },
    json: { type: 'boolean', default: false },
  },
});
const steps = Number(values.steps);
const options = v.parse(PretrainOptionsSchema, { steps: 1000 });
const config = resolvePretrainConfig(options, 1000);
const step = await openStep();
const ours: number[] = [];
const torch: v.InferOutput<typeof TorchReport>[] = [];
for (let round = 0; round < Number(values.rounds); round++) {
  for (let i = 0; i < steps; i++) ours.push(await step());
  if (values.against !== undefined) torch.push(runTorch(values.against));
}
report();

/** Compiles the step and runs it once; the result runs one more and gives its milliseconds. */
async function openStep(): Promise<() => Promise<number>> {
  const random = new Random(1);
  const params = initPretrainState(config, random);
  const student = Object.fromEntries(
    Object.entries(params).filter(([name]) => isStudentParameter(name)),
  );
  const batchSpecs = pretrainBatchSpecs(config);
  const compiled = await compileStep(buildPretrainStep(config), {
    state: { ...params, ...initOptimizer(config.optimizer, student) },
    batch: batchSpecs,
    device: { executor: 'onnxruntime', provider: 'cpu' },
    label: 'bench',
  });
  const batch = Object.fromEntries(
    Object.entries(batchSpecs).map(([name, spec]) => [name, randomData(name, spec, random)]),
  );
  const run = async () => {
    const started = performance.now();
    await compiled.run(batch);
    return performance.now() - started;
  };
  await run();
  return run;
}

/** Plausible numbers: bytes, overlaps of half the crop, small matrices. */
function randomData(name: string, { shape, dtype }: TensorSpec, random: Random): HostData {
  const size = shape.reduce((product, n) => product * n, 1);
  if (dtype === 'uint8') return new Uint8Array(size).map(() => random.integer(256));
  const overlap = [0.1, 0.2, 0.7, 0.8];
  const isOverlap = name.startsWith('views.coords');
  return new Float32Array(size).map((_, i) =>
    isOverlap ? (overlap[i % 4] ?? 0) : random.uniform(0, 0.02),
  );
}

function runTorch(file: string) {
  const result = spawnSync(values.python, [file, ...CASE_A, '--steps', String(steps)], {
    encoding: 'utf8',
    env: { ...process.env, OPENBLAS_NUM_THREADS: '2' },
  });
  if (result.status !== 0) throw new Error(`PyTorch did not run: ${result.stderr}`);
  return v.parse(TorchReport, JSON.parse(result.stdout));
}

function median(numbers: readonly number[]): number {
  return numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? Number.NaN;
}

function report(): void {
  const own = median(ours);
  const theirs = median(torch.map(({ ms }) => ms.median));
  const figures = {
    oursMs: ours.map(Math.round),
    oursMedianMs: Math.round(own),
    oursPeakMib: Math.round(process.resourceUsage().maxRSS / 1024),
    torchMs: torch.map(({ ms }) => Math.round(ms.median)),
    torchPeakMib: Math.max(0, ...torch.map((run) => run.peak_mib)),
    torchVersion: torch[0]?.torch,
    ratio: torch.length === 0 ? undefined : Number((own / theirs).toFixed(3)),
  };
  if (values.json) process.stdout.write(`${JSON.stringify(figures)}\n`);
  else
    for (const [name, value] of Object.entries(figures))
      process.stdout.write(`${name}: ${String(value)}\n`);
}
