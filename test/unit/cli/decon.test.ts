import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';

const main = fileURLToPath(new URL('../../../src-main/cli/main.ts', import.meta.url));
let folder = '';

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'decon-cli-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function decon(...words: readonly string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [main, ...words], {
    cwd: folder,
    encoding: 'utf8',
    env: { ...process.env, DECON_LOG_DIR: join(folder, 'log') },
  });
  return { status, stdout, stderr };
}

function expectRefusal(result: ReturnType<typeof decon>, sentence: RegExp): void {
  expect(result.status).toBe(2);
  expect(result.stderr).toMatch(sentence);
}

test('without a command it says how the app is opened and lists the commands', () => {
  const { status, stdout } = decon();
  expect(status).toBe(0);
  expect(stdout).toMatch(/decon serve.*npm start.*pretrain.*stop/s);
});

test('an unknown command or option ends with 2 and a sentence', () => {
  expectRefusal(decon('prterain'), /no command "prterain"/);
  const { status, stdout } = decon('runs', '--foo', '--json');
  expect(status).toBe(2);
  expect(JSON.parse(stdout)).toMatchObject({ type: 'error', code: 'usage.invalid' });
});

test('a project is made once, found by itself, and its failed run listed', () => {
  expectRefusal(decon('runs'), /There is no project here/);
  expectRefusal(decon('predict', 'finetune-1', '.'), /There is no project here/);
  expect(decon('init', 'cells')).toMatchObject({ status: 0 });
  expectRefusal(decon('init', 'cells'), /already exists/);

  const started = decon('pretrain', '--steps', '2', '--device', 'cpu', '--json');
  expect(started.status).toBe(2);
  const lines = started.stdout
    .trim()
    .split('\n')
    .map((line): unknown => JSON.parse(line));
  expect(lines[0]).toMatchObject({ type: 'started', run: 'pretrain-1' });
  expect(lines.at(-1)).toMatchObject({ type: 'error', code: 'pretrain.no-images' });

  const listed = decon('runs', '--json');
  expect(JSON.parse(listed.stdout)).toMatchObject({ type: 'run', state: 'failed', seed: 0 });
  expectRefusal(decon('resume', 'pretrain-1', '--batch', '4'), /Nothing else may change/);
  expectRefusal(decon('stop', 'pretrain-1'), /is not running/);
});

test('a model file segments pictures where there is no project', () => {
  const model = fileURLToPath(
    new URL('../inference/fixtures/model-format-1.onnx', import.meta.url),
  );
  const pictures = fileURLToPath(new URL('../../../resources/demo/images', import.meta.url));
  const [picture = ''] = readdirSync(pictures);
  const { status, stdout } = decon('predict', model, join(pictures, picture), '--device', 'cpu');
  expect(stdout).toContain('Segmented 1 picture');
  expect(status).toBe(0);
  expect(readdirSync(join(folder, 'predictions/masks'))).toHaveLength(1);
}, 60_000);
