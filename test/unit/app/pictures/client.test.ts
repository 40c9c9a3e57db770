import { afterEach, expect, test } from 'vitest';
import { PictureClient } from '../../../../src-main/app/pictures/client.ts';
import type { ImageFacts } from '../../../../src-main/datasets/image-facts.ts';
import { CancelledError } from '../../../../src-main/lib/errors.ts';

const entry = new URL('./fake-process.ts', import.meta.url);
const facts: ImageFacts = {
  format: 'png',
  storedWidthPx: 8,
  storedHeightPx: 8,
  orientation: 1,
  space: 'srgb',
  channels: 3,
  bitDepth: 8,
  hasAlpha: false,
  isTransparent: false,
  pages: 1,
  isProgressive: false,
  reading: 'color8',
  ranges: [],
  intensity: { low: 0, mean: 0, high: 0 },
};
let client: PictureClient;

afterEach(() => client.dispose());

async function make(path: string, signal = new AbortController().signal): Promise<string> {
  const input = { path, sha256: 'aa', facts, cacheFolder: '', sizePx: 128 };
  const { bytes } = await client.make('thumb', input, signal);
  return Buffer.from(bytes).toString();
}

test('what was asked for last is made first', async () => {
  client = new PictureClient({ entry, cores: 1 });
  await Promise.all([make('slow'), make('a'), make('b'), make('c')]);
  expect(await make('order')).toBe('slow c b a order');
});

test('what waits is dropped on abort and never sent', async () => {
  client = new PictureClient({ entry, cores: 1 });
  const running = make('slow');
  const controller = new AbortController();
  const waiting = make('a', controller.signal);
  controller.abort();
  await expect(waiting).rejects.toThrow(CancelledError);
  await running;
  expect(await make('order')).toBe('slow order');
});

test('what runs ends for its caller at once and keeps its turn until the process answers', async () => {
  client = new PictureClient({ entry, cores: 1 });
  const controller = new AbortController();
  const running = make('slow', controller.signal);
  controller.abort();
  await expect(running).rejects.toThrow(CancelledError);
  expect(await make('order')).toBe('slow cancelled order');
});

test('the oldest is given up when too many wait', async () => {
  client = new PictureClient({ entry, cores: 1, maxWaiting: 2 });
  const running = make('slow');
  const oldest = expect(make('a')).rejects.toThrow(CancelledError);
  await Promise.all([running, oldest, make('b'), make('c')]);
});

test('a failure carries code and sentence', async () => {
  client = new PictureClient({ entry });
  await expect(make('refuse')).rejects.toMatchObject({ code: 'images.missing', message: 'Gone.' });
});

test('a process that died is started again for the next', async () => {
  client = new PictureClient({ entry, cores: 1 });
  const lost = expect(make('crash')).rejects.toMatchObject({ code: 'pictures.crashed' });
  const next = make('a');
  await lost;
  expect(await next).toBe('a');
});

test('disposing ends everything', async () => {
  client = new PictureClient({ entry });
  const running = expect(make('slow')).rejects.toThrow(CancelledError);
  client.dispose();
  await running;
  await expect(make('a')).rejects.toThrow(CancelledError);
});
