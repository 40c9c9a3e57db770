import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
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

  test.each(['slotcon_basic.safetensors', 'decon_sl_fcn.safetensors'])(
    '%s, eager',
    async (name) => {
      await expectWithinTolerance(name, eager);
    },
  );
});

async function expectWithinTolerance(name: string, device: Device): Promise<void> {
  const result = await checkFile(join(goldenFolder, name), device);
  expect(result.passed, report(result)).toBe(true);
  expect(result.unknown).toEqual([]);
}
