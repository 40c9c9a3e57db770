import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Precision } from '../../src-main/graph/compile.ts';
import type { Device } from '../../src-main/graph/types.ts';
import { checkFile } from './check-file.ts';
import { describe as report } from './compare.ts';
import { goldenFolder, goldenNote, hasGoldens } from './golden.ts';

const compiled: Device = { executor: 'onnxruntime', provider: 'cpu' };
const eager: Device = { executor: 'reference', provider: 'cpu' };

const files = hasGoldens
  ? readdirSync(goldenFolder).filter((name) => /^(slotcon|decon)_.*\.safetensors$/.test(name))
  : [];

describe.skipIf(!hasGoldens)(`whole steps${goldenNote}`, () => {
  test.each(files)('%s, compiled', async (name) => {
    await expectWithinTolerance(name, compiled);
  });

  // An emulation: results are rounded as on a graphics card, sums are those of the CPU.
  test.each(files)('%s, compiled in half precision', async (name) => {
    await expectWithinTolerance(name, compiled, 'half');
  });

  test.each(['slotcon_basic.safetensors', 'decon_sl_fcn.safetensors'])(
    '%s, eager',
    async (name) => {
      await expectWithinTolerance(name, eager);
    },
  );
});

async function expectWithinTolerance(
  name: string,
  device: Device,
  precision: Precision = 'single',
): Promise<void> {
  const result = await checkFile(join(goldenFolder, name), device, precision);
  expect(result.passed, report(result)).toBe(true);
  expect(result.unknown).toEqual([]);
}
