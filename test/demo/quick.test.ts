import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, expect, test } from 'vitest';
import { readModelDescription } from '../../src-main/inference/model-reader.ts';

const folder = mkdtempSync(join(tmpdir(), 'decon-demo-'));
afterAll(() => rmSync(folder, { recursive: true }));

const demo = fileURLToPath(new URL('../../src-main/cli/demo.ts', import.meta.url));

// About 45 s of work on two free cores; the limit leaves room for a busy machine.
test('the quick demo goes from pictures to a report', { timeout: 300_000 }, async () => {
  const out = join(folder, 'results');
  const words = [demo, '--quick', '--out', out];
  const { stdout } = await promisify(execFile)(process.execPath, words);
  expect(stdout).toContain('Every part works.');
  expect(stdout).toMatch(/encoder \+ decoder {2}0\.\d{3}/);
  for (const name of [
    'report.html',
    'curves/pretraining.svg',
    'slots/sheet.png',
    'slots/decoder-p2.png',
    'predictions/areas.csv',
    'nuclei.decon/project.sqlite',
  ]) {
    expect(existsSync(join(out, name)), name).toBe(true);
  }
  const model = readModelDescription(join(out, 'model/from-decon-ml.onnx'));
  expect(model.provenance).toMatchObject({ trainingImages: 11, pretrainingImages: 110 });
  expect(model.scores?.images).toBe(40);
  const report = readFileSync(join(out, 'report.html'), 'utf8');
  expect(report).not.toContain('<script');
  expect(report).not.toMatch(/(?:src|href)="https?:/);
});
