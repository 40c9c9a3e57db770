import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The folder of the reference numbers: `DECON_SHARED/golden`, or beside the repository. */
export const goldenFolder = join(
  process.env['DECON_SHARED'] ?? join(import.meta.dirname, '../../../shared'),
  'golden',
);

export const hasGoldens = existsSync(join(goldenFolder, 'manifest.json'));

/** Appended to a suite's name, so that a skipped one says why. */
export const goldenNote = hasGoldens ? '' : ` (skipped: no reference files at ${goldenFolder})`;

export interface GoldenTensor {
  readonly shape: readonly number[];
  readonly data: Float32Array | Uint8Array;
}

/** All tensors of one golden file (little-endian float32 or uint8). */
export function readGolden(name: string): Readonly<Record<string, GoldenTensor>> {
  const bytes = readFileSync(join(goldenFolder, name));
  const headerBytes = Number(bytes.readBigUInt64LE(0));
  const header: Record<string, { dtype: string; shape: number[]; data_offsets: number[] }> =
    JSON.parse(bytes.toString('utf8', 8, 8 + headerBytes));
  delete header['__metadata__'];
  const tensors = Object.entries(header).map(([key, { dtype, shape, data_offsets: offsets }]) => {
    const [start = 0, end = 0] = offsets;
    const raw = new Uint8Array(bytes.subarray(8 + headerBytes + start, 8 + headerBytes + end));
    return [key, { shape, data: dtype === 'U8' ? raw : new Float32Array(raw.buffer) }] as const;
  });
  return Object.fromEntries(tensors);
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
