import { join } from 'node:path';
import { expect, test } from 'vitest';
import { drawCocoMask, type CocoImage } from '../../../src-main/datasets/coco.ts';
import { openImageMask } from '../../../src-main/datasets/class-mask.ts';
import { importImages } from '../../../src-main/datasets/import.ts';
import { createProject } from '../../../src-main/project/project.ts';
import { sample, TemporaryFolder } from './sample-files.ts';

const base = { fileName: 'a.jpg', widthPx: 6, heightPx: 4, boxesOnly: 0 };
const size: [number, number] = [4, 6];
const triangle = { classIndex: 1, shape: [[0, 0, 6, 0, 0, 4]] };

function drawn(shapes: CocoImage['shapes']): string[] {
  const mask = drawCocoMask({ ...base, shapes });
  return [0, 1, 2, 3].map((row) => mask.slice(row * 6, row * 6 + 6).join(''));
}

test('a polygon covers the pixels whose centre it holds', () => {
  expect(drawn([triangle])).toEqual(['111110', '111100', '110000', '100000']);
});

test('a polygon may reach beyond the picture', () => {
  expect(drawn([{ classIndex: 2, shape: [[-5, -5, 3, -5, 3, 2, -5, 2]] }])).toEqual([
    '222000',
    '222000',
    '000000',
    '000000',
  ]);
});

test('run lengths go down the columns', () => {
  const shape = { size, counts: [1, 2, 3, 4, 14] };
  expect(drawn([{ classIndex: 3, shape }])).toEqual(
    ['000000', '300000', '303000', '033000'].map((_, row) =>
      [0, 1, 2, 3, 4, 5]
        .map((column) => {
          const at = column * 4 + row;
          return (at >= 1 && at < 3) || (at >= 6 && at < 10) ? 3 : 0;
        })
        .join(''),
    ),
  );
});

test('compressed run lengths are those of pycocotools', () => {
  // pycocotools encodes [1, 2, 3, 4, 14] as differences from the third on: 1 2 3 2 11.
  const shape = { size, counts: '1232;' };
  const same = { size, counts: [1, 2, 3, 4, 14] };
  expect(drawn([{ classIndex: 3, shape }])).toEqual(drawn([{ classIndex: 3, shape: same }]));
});

test('small shapes stay visible on large ones, in whatever order they come', () => {
  const whole = { classIndex: 1, shape: [[0, 0, 6, 0, 6, 4, 0, 4]] };
  const dot = { classIndex: 2, shape: [[1, 1, 2, 1, 2, 2, 1, 2]] };
  expect(drawn([dot, whole])).toEqual(drawn([whole, dot]));
  expect(drawn([dot, whole])[1]).toBe('121111');
});

test('run lengths that do not fill the picture are refused', () => {
  const shape = { size, counts: [1, 2] };
  expect(() => drawn([{ classIndex: 1, shape }])).toThrow(/does not fill the image/);
});

test('a COCO file labels images; boxes and other sizes are reported', async () => {
  using folder = new TemporaryFolder();
  for (const [i, name] of ['a.jpg', 'b.jpg', 'c.jpg', 'd.jpg'].entries()) {
    folder.write(`images/${name}`, await sample(20, 16, i).jpeg().toBuffer());
  }
  const image = (id: number, file_name: string, width = 20) => ({
    id,
    file_name,
    width,
    height: 16,
  });
  const outline = (image_id: number) => ({
    image_id,
    category_id: 7,
    segmentation: [[2, 2, 10, 2, 10, 8, 2, 8]],
  });
  folder.writeJson('annotations.json', {
    images: [image(1, 'a.jpg'), image(2, 'b.jpg'), image(3, 'c.jpg', 99), image(4, 'gone.jpg')],
    annotations: [
      outline(1),
      { image_id: 2, category_id: 7, bbox: [1, 1, 3, 3] },
      outline(3),
      outline(4),
    ],
    categories: [{ id: 7, name: 'nut' }],
  });
  const project = createProject(join(folder.path, 'Test.decon'));
  try {
    const summary = await importImages(project, { imagesPath: folder.path });
    expect(summary.masks).toBe(1);
    expect(project.classes.list().map(({ name }) => name)).toEqual(['background', 'nut']);
    const codes = project.importProblems.list().map(({ code, path }) => `${code} ${path}`);
    expect(codes).toEqual(
      expect.arrayContaining([
        'masks.boxes-only b.jpg',
        'masks.other-size c.jpg',
        'masks.no-image gone.jpg',
      ]),
    );
    const [mask] = project.masks.list();
    expect(mask?.classPixels).toEqual([20 * 16 - 48, 48]);
    const reader = await openImageMask(project, mask?.imageId ?? '');
    expect((await reader?.readRows(0, 16))?.reduce((sum, value) => sum + value, 0)).toBe(48);
  } finally {
    project.dispose();
  }
});
