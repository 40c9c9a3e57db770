import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { pictureReply } from '../../../../src-main/app/pictures/route.ts';
import { UserStateFile } from '../../../../src-main/app/user-state.ts';
import { Workspace } from '../../../../src-main/app/workspace.ts';
import { importImages } from '../../../../src-main/datasets/import.ts';
import { defined } from '../../../../src-main/lib/errors.ts';
import { createProject } from '../../../../src-main/project/project.ts';
import { greyPng, rectangle, sample, TemporaryFolder } from '../../datasets/sample-files.ts';
import { encodeTiff } from '../../datasets/tiff-writer.ts';

const folder = new TemporaryFolder();
const workspace = new Workspace(
  {
    kind: 'browser',
    pick: () => Promise.resolve(null),
    reveal: () => false,
    setTheme: () => undefined,
  },
  new UserStateFile(join(folder.path, 'state')),
);
const ids = new Map<string, string>();

beforeAll(async () => {
  folder.write('data/images/photo.jpg', await sample(700, 300, 1).jpeg().toBuffer());
  folder.write('data/images/small.png', await sample(40, 30, 2).png().toBuffer());
  folder.write('data/masks/small.png', await greyPng(rectangle(40, 30, 1), 40, 30));
  const deep = Uint16Array.from({ length: 300 * 20 }, (_, i) => 1000 + (i % 300) * 10);
  const page = { widthPx: 300, heightPx: 20, channels: 1, data: deep, photometric: 1 } as const;
  folder.write('data/images/deep.tif', encodeTiff([page]));
  folder.writeJson('data/classes.json', {
    classes: [
      { index: 0, name: 'background', colour: '#000000' },
      { index: 1, name: 'cell', colour: '#00c8ff' },
    ],
  });
  const project = createProject(join(folder.path, 'Test.decon'));
  await workspace.use(project);
  await importImages(project, { imagesPath: join(folder.path, 'data') });
  for (const { id, relPath } of project.images.list()) ids.set(relPath, id);
});
afterAll(async () => {
  await workspace.close();
  folder[Symbol.dispose]();
});

async function ask(address: string, signal = new AbortController().signal) {
  return pictureReply(workspace, new URL(address, 'http://127.0.0.1/'), signal);
}
const addressOf = (kind: string, name: string, query: string): string =>
  `/image/${kind}/${ids.get(name)}?${query}`;

async function pixels(address: string) {
  const { status, type, body } = await ask(address);
  expect({ status, text: type.startsWith('text') ? Buffer.from(body).toString() : '' }).toEqual({
    status: 200,
    text: '',
  });
  return sharp(body).raw().toBuffer({ resolveWithObject: true });
}

describe('a thumbnail', () => {
  test('fits, is a JPEG, and is kept', async () => {
    const { body, type } = await ask(addressOf('thumb', 'photo.jpg', 'size=200'));
    expect(type).toBe('image/jpeg');
    expect(await sharp(body).metadata()).toMatchObject({ width: 256, height: 110 });
    const kept = join(workspace.project.dir, 'cache', 'thumbnails');
    expect(existsSync(kept) && readdirSync(kept, { recursive: true })).toHaveLength(2);
    const again = await ask(addressOf('thumb', 'photo.jpg', 'size=200'));
    expect(Buffer.compare(again.body, body)).toBe(0);
  });

  test('of a small picture is as large as the picture', async () => {
    const { info } = await pixels(addressOf('thumb', 'small.png', 'size=128'));
    expect(info).toMatchObject({ width: 40, height: 30 });
  });

  test('of a 16-bit picture shows its range', async () => {
    const { data, info } = await pixels(addressOf('thumb', 'deep.tif', 'size=128'));
    expect(info.width).toBe(128);
    expect(data.at(0)).toBeLessThan(12);
    expect(data.at(-1)).toBeGreaterThan(243);
  });
});

describe('a tile', () => {
  test('holds the pixels as training sees them', async () => {
    const { data, info } = await pixels(addressOf('tile', 'photo.jpg', 'level=0&x=2&y=1'));
    expect(info).toMatchObject({ width: 700 - 512, height: 300 - 256, channels: 3 });
    const path = join(folder.path, 'data/images/photo.jpg');
    const expected = await sharp(path)
      .extract({ left: 512, top: 256, width: 188, height: 44 })
      .raw()
      .toBuffer();
    expect(Buffer.compare(data, expected)).toBe(0);
  });

  test('of a smaller level covers more', async () => {
    const { info } = await pixels(addressOf('tile', 'photo.jpg', 'level=2&x=0&y=0'));
    expect(info).toMatchObject({ width: 175, height: 75 });
  });

  test('of a 16-bit picture can be windowed', async () => {
    const { data } = await pixels(
      addressOf('tile', 'deep.tif', 'level=0&x=0&y=0&low=100&high=101'),
    );
    expect([...new Set(data)]).toEqual([0, 255]);
  });

  test('of a mask has the colors of the classes and is empty elsewhere', async () => {
    const { data, info } = await pixels(addressOf('mask-tile', 'small.png', 'level=0&x=0&y=0'));
    expect(info).toMatchObject({ width: 40, height: 30, channels: 4 });
    expect([...data.subarray(0, 4)]).toEqual([0, 0, 0, 0]);
    const inside = (6 * 40 + 6) * 4;
    expect([...data.subarray(inside, inside + 4)]).toEqual([0, 0xc8, 0xff, 0xff]);
    const outline = await pixels(addressOf('mask-tile', 'small.png', 'level=0&x=0&y=0&outline=1'));
    expect([...outline.data.subarray(inside, inside + 4)]).toEqual([0, 0, 0, 0]);
    const edge = (4 * 40 + 6) * 4;
    expect([...outline.data.subarray(edge, edge + 4)]).toEqual([0, 0xc8, 0xff, 0xff]);
  });
});

describe('an address', () => {
  test.each([
    ['/image/nothing/abc', 404],
    ['/image/thumb/abc?size=100', 404],
    ['/image/', 404],
    ['/image/toString/abc', 404],
    ['/image/thumb/..%2f..%2fetc%2fpasswd?size=100', 400],
    ['/image/thumb/%2e%2e?size=100', 404],
    ['/image/thumb/a/b?size=100', 400],
    ['/image/thumb?size=100', 400],
    ['/image/thumb/abc', 400],
    ['/image/thumb/abc?size=-5', 400],
    ['/image/thumb/abc?size=1e3', 400],
    ['/image/thumb/abc?size=99999', 400],
    ['/image/thumb/abc?size=100&path=/etc/passwd', 400],
    ['/image/thumb/abc?size=100&v=../x', 400],
    ['/image/tile/abc?level=-1&x=0&y=0', 400],
    ['/image/tile/abc?level=0&x=0.5&y=0', 400],
    ['/image/tile/abc?level=0&x=0', 400],
  ])('%s is answered with %i', async (address, status) => {
    const reply = await ask(address);
    expect(reply.status).toBe(status);
    expect(reply.type).toBe('text/plain; charset=utf-8');
    expect(reply.cacheControl).toBe('no-store');
  });

  test('outside of the picture, or without a mask, is not found', async () => {
    expect((await ask(addressOf('tile', 'photo.jpg', 'level=0&x=3&y=0'))).status).toBe(404);
    expect((await ask(addressOf('mask-tile', 'photo.jpg', 'level=0&x=0&y=0'))).status).toBe(404);
  });

  test('with a version may be kept, without one is asked for again', async () => {
    const named = await ask(addressOf('thumb', 'small.png', 'size=128&v=abc123'));
    expect(named.cacheControl).toContain('immutable');
    const other = await ask(addressOf('thumb', 'small.png', 'size=128'));
    expect(other.cacheControl).toBe('private, no-cache');
    expect(other.etag).toMatch(/^"[\w-]{22}"$/);
  });

  test('means the same in the image: scheme', async () => {
    const address = `image://thumb/${ids.get('small.png')}?size=128`;
    const reply = await pictureReply(workspace, new URL(address), new AbortController().signal);
    expect(reply.status).toBe(200);
  });

  test('of a file that is gone is answered in words', async () => {
    const { images } = workspace.project;
    const row = defined(images.get(ids.get('deep.tif') ?? ''), 'image');
    images.upsertMany([{ ...row, id: 'gone', relPath: 'gone.tif', sha256: 'a'.repeat(64) }]);
    const reply = await ask('/image/tile/gone?level=0&x=0&y=0');
    expect(reply.status).toBe(404);
    expect(Buffer.from(reply.body).toString()).toContain('gone.tif is not there');
  });
});
