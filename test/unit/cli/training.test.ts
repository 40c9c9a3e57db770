import { spawn, type ChildProcess } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import * as v from 'valibot';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { defined } from '../../../src-main/lib/errors.ts';

const main = fileURLToPath(new URL('../../../src-main/cli/main.ts', import.meta.url));
const demo = fileURLToPath(new URL('../../../resources/demo', import.meta.url));
const lineSchema = v.looseObject({ type: v.string() });
type Line = v.InferOutput<typeof lineSchema>;

let folder = '';

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'decon-training-'));
  for (const part of ['images', 'masks']) {
    mkdirSync(join(folder, 'cells', part), { recursive: true });
    for (const name of readdirSync(join(demo, part)).sort().slice(0, 12)) {
      cpSync(join(demo, part, name), join(folder, 'cells', part, name));
    }
  }
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Runs a command with --json and collects its lines; `onLine` may steer it. */
async function decon(
  words: readonly string[],
  onLine: (line: Line, child: ChildProcess) => void = () => undefined,
): Promise<{ code: number | null; lines: Line[] }> {
  const lines: Line[] = [];
  const child = spawn(process.execPath, [main, ...words, '--json'], {
    cwd: folder,
    env: { ...process.env, DECON_LOG_DIR: join(folder, 'log') },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  createInterface({ input: child.stdout }).on('line', (text) => {
    const line = v.parse(lineSchema, JSON.parse(text));
    lines.push(line);
    onLine(line, child);
  });
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
  return { code, lines };
}

const network = [
  ...['--set', 'encoder={"block":"basic","depths":[1,1,1,1],"width":8}'],
  ...['--set', 'decoderChannels=16', '--batch', '2', '--size', '64', '--device', 'cpu'],
];

test('from a folder to an exported model, with an interruption', { timeout: 300_000 }, async () => {
  expect((await decon(['init', 'cells'])).code).toBe(0);
  const imported = await decon(['import', 'cells']);
  expect(imported.lines.at(-1)).toMatchObject({ type: 'imported', usable: 12, masks: 12 });

  const heads = ['--set', 'hidden=32', '--set', 'dim=16', '--set', 'prototypes=8'];
  const words = ['pretrain', '--steps', '40', ...network, ...heads];
  let isAsked = false;
  const cancelled = await decon(words, (line, child) => {
    if (isAsked || line['phase'] !== 'Learning from unlabelled images') return;
    isAsked = true;
    child.kill('SIGINT');
  });
  expect(cancelled.code).toBe(3);
  expect(cancelled.lines.at(-1)).toMatchObject({ type: 'error', code: 'cancelled' });
  const resumed = await decon(['resume', 'pretrain-1']);
  expect(resumed.lines.at(-1)).toMatchObject({ type: 'finished', state: 'done', step: 40 });

  const tuned = await decon([
    ...['finetune', '--from', 'pretrain-1', '--steps', '3', '--tile', '128', '--batch', '2'],
    ...['--size', '64', '--device', 'cpu', '--fraction', '50%'],
  ]);
  expect(defined(tuned.lines.at(-1), 'line')).toMatchObject({ type: 'finished', state: 'done' });
  const predicted = await decon(['predict', 'finetune-1', 'cells/images', '--device', 'cpu']);
  expect(predicted.lines.at(-1)).toMatchObject({ type: 'predicted', predicted: 12 });
  expect(readdirSync(join(folder, 'predictions', 'masks'))).toHaveLength(12);
  expect((await decon(['export', 'finetune-1'])).code).toBe(0);
  expect(existsSync(join(folder, 'cells.decon', 'models', 'finetune-1.onnx'))).toBe(true);
});
