import type { Precision } from '../../src-main/graph/compile.ts';
import type { Device } from '../../src-main/graph/types.ts';
import { compareAll, type FileResult } from './compare.ts';
import { isTrajectory, readStepFile } from './step-file.ts';
import { runStepFile } from './step-run.ts';
import { runTrajectory } from './trajectory.ts';

/** Runs what a full-step or trajectory file describes and compares everything it holds. */
export async function checkFile(
  path: string,
  device: Device,
  precision: Precision = 'single',
): Promise<FileResult> {
  const file = readStepFile(path);
  const run = isTrajectory(file.expected) ? runTrajectory : runStepFile;
  const actual = await run(file, { device, precision });
  return compareAll(file.name, file.expected, actual, precision);
}
