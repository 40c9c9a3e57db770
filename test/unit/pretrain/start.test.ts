import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { defined } from '../../../src-main/lib/errors.ts';
import { exportNames, teacherWeights } from '../../../src-main/nn/names.ts';
import { writeSafetensors } from '../../../src-main/nn/safetensors.ts';
import { resolvePretrainConfig } from '../../../src-main/pretrain/config.ts';
import { readRunSettings } from '../../../src-main/pretrain/run-settings.ts';
import { startState } from '../../../src-main/pretrain/start.ts';
import { tinyOptions } from './tiny-run.ts';

const folder = mkdtempSync(join(tmpdir(), 'decon-start-'));
afterAll(() => rmSync(folder, { recursive: true }));

it('begins student and teacher with the encoder of a torchvision file', () => {
  const file = join(folder, 'encoder.safetensors');
  const other = startState(config({ seed: 8 })).state;
  const encoder = exportNames(teacherWeights(other), 'torchvision');
  const bare = Object.entries(encoder).filter(([name]) => !name.startsWith('fpn.'));
  writeFileSync(file, writeSafetensors(Object.fromEntries(bare)));

  const { state, notices } = startState(config({ seed: 1, startWeights: file }));
  const fresh = startState(config({ seed: 1 })).state;
  const name = 'layer2.0.conv1.weight';
  expect(state[`encoder_q.${name}`]?.data).toEqual(other[`encoder_k.${name}`]?.data);
  expect(state[`encoder_k.${name}`]?.data).toEqual(other[`encoder_k.${name}`]?.data);
  const kept = 'decoder_q.fpn_lateral3.weight';
  expect(defined(state[kept], kept).data).toEqual(fresh[kept]?.data);
  expect(Object.keys(state)).toEqual(Object.keys(fresh));
  expect(notices).toEqual([`${bare.length} tensors of encoder.safetensors are the start.`]);
});

function config(options: Readonly<Record<string, unknown>>) {
  const settings = readRunSettings({ ...tinyOptions, ...options });
  if (settings.type !== 'asked') throw new Error('The settings were taken for resolved ones');
  return resolvePretrainConfig(settings.options, 10);
}
