import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Device, HostTensors } from '../../src-main/graph/types.ts';
import { readSafetensors } from '../../src-main/nn/safetensors.ts';

/** The folder of the reference numbers: `DECON_SHARED/golden`, or beside the repository. */
export const goldenFolder = join(
  process.env['DECON_SHARED'] ?? join(import.meta.dirname, '../../../shared'),
  'golden',
);

export const hasGoldens = existsSync(join(goldenFolder, 'manifest.json'));

/** Appended to a suite's name, so that a skipped one says why. */
export const goldenNote = hasGoldens ? '' : ` (skipped: no reference files at ${goldenFolder})`;

/** The compiled graph, and the same operations one by one. */
export const cpuDevices: readonly Device[] = [
  { executor: 'onnxruntime', provider: 'cpu' },
  { executor: 'reference', provider: 'cpu' },
];

/** All tensors of one golden file. */
export function readGolden(name: string): HostTensors {
  return readSafetensors(join(goldenFolder, name)).tensors;
}

export function readGoldenJson(name: string): unknown {
  return JSON.parse(readFileSync(join(goldenFolder, name), 'utf8'));
}

/** The largest and the mean absolute difference; NaN where lengths differ or a value is missing. */
export function differences(
  actual: ArrayLike<number>,
  expected: ArrayLike<number>,
): { readonly max: number; readonly mean: number } {
  if (actual.length !== expected.length) return { max: NaN, mean: NaN };
  const each = Array.from(expected, (value, i) => Math.abs(value - (actual[i] ?? NaN)));
  const total = each.reduce((sum, value) => sum + value, 0);
  return { max: each.reduce((a, b) => Math.max(a, b), 0), mean: total / each.length };
}
