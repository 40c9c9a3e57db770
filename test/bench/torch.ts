import { execFile } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { promisify } from 'node:util';
import * as v from 'valibot';
import { messageOf } from '../../src-main/lib/errors.ts';
import { torchArguments, type BenchCase } from './cases.ts';

const ReportSchema = v.object({
  torch: v.string(),
  ms: v.object({ median: v.number(), min: v.number(), p90: v.number() }),
  peak_mib: v.number(),
});
export type TorchReport = v.InferOutput<typeof ReportSchema>;

/** How PyTorch's program is called. */
export interface TorchProgram {
  /** A program and its first arguments, e.g. `python3 torch_step.py`. */
  readonly command: readonly string[];
  /** All cores when absent. */
  readonly threads: number | undefined;
}

/**
 * Measures one round of a case in a new process, with settings such as
 * `channels-last keep-heap device=cuda`, or `default` for none.
 * @throws Error with what the program printed
 */
export async function runTorch(
  { command: [file = '', ...words], threads: wanted }: TorchProgram,
  bench: BenchCase,
  round: { readonly settings: string; readonly steps: number; readonly warmup: number },
): Promise<TorchReport> {
  const threads = String(wanted ?? availableParallelism());
  const options = round.settings
    .split(/[\s,]+/)
    .filter((word) => word !== '' && word !== 'default')
    .map((word) => `--${word.replace(/^-+/, '')}`);
  const args = [
    ...words,
    ...torchArguments(bench),
    ...['--steps', String(round.steps), '--warmup', String(round.warmup), '--threads', threads],
    ...[...options, '--json'],
  ];
  // These two force the matrix products of another processor upon OpenBLAS.
  const forced = { OPENBLAS_CORETYPE: undefined, OPENBLAS_L2_SIZE: undefined };
  try {
    const { stdout } = await promisify(execFile)(file, args, {
      env: { ...process.env, ...forced, OPENBLAS_NUM_THREADS: threads },
      maxBuffer: 2 ** 24,
    });
    return v.parse(ReportSchema, JSON.parse(stdout));
  } catch (error) {
    throw new Error(`PyTorch was not measured: ${messageOf(error)}`, { cause: error });
  }
}
