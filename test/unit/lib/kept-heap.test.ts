import { fork } from 'node:child_process';
import { expect, test } from 'vitest';
import { collectGarbage, keptHeapEnvironment } from '../../../src-main/lib/kept-heap.ts';

const isGlibc = process.platform === 'linux' && process.env['GLIBC_TUNABLES'] === undefined;

test.runIf(isGlibc)('a process with the settings runs and knows them', async () => {
  const entry = new URL('./kept-heap-process.ts', import.meta.url);
  const answers = await Promise.all(
    [{}, keptHeapEnvironment()].map(
      (added) =>
        new Promise((resolve, reject) => {
          const child = fork(entry, [], { env: { ...process.env, ...added } });
          child.once('message', resolve);
          child.once('error', reject);
        }),
    ),
  );
  expect(answers).toEqual([false, true]);
});

test('settings that someone has chosen stay', () => {
  const before = process.env['GLIBC_TUNABLES'];
  process.env['GLIBC_TUNABLES'] = 'glibc.malloc.check=1';
  try {
    expect(keptHeapEnvironment()).toEqual({});
  } finally {
    if (before === undefined) delete process.env['GLIBC_TUNABLES'];
    else process.env['GLIBC_TUNABLES'] = before;
  }
});

test('garbage is gone at once', () => {
  const isGone = new WeakRef<object>({ large: new Array(1000).fill(0) });
  return new Promise<void>((resolve) => {
    // A weak reference holds on until the end of the turn that made it.
    setImmediate(() => {
      collectGarbage();
      expect(isGone.deref()).toBeUndefined();
      resolve();
    });
  });
});
