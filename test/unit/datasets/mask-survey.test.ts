import { join } from 'node:path';
import sharp from 'sharp';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openImageMask } from '../../../src-main/datasets/class-mask.ts';
import { importImages } from '../../../src-main/datasets/import.ts';
import type { MaskChoice } from '../../../src-main/datasets/mask-choice.ts';
import { surveyMasks } from '../../../src-main/datasets/mask-survey.ts';
import { samplePath } from '../../../src-main/datasets/mask-survey-types.ts';
import { readMaskMapping } from '../../../src-main/datasets/stored-settings.ts';
import { createProject, type Project } from '../../../src-main/project/project.ts';
import { greyPng, rectangle, sample, TemporaryFolder } from './sample-files.ts';

let folder: TemporaryFolder;
let project: Project;
const imagesPath = () => join(folder.path, 'data', 'images');
const masksPath = () => join(folder.path, 'data', 'masks');

beforeEach(async () => {
  folder = new TemporaryFolder();
  project = createProject(join(folder.path, 'Test.decon'));
  for (const [i, name] of ['a', 'b', 'c', 'd'].entries()) {
    folder.write(`data/images/${name}.png`, await sample(32, 24, i).png().toBuffer());
  }
});
afterEach(() => {
  project.dispose();
  folder[Symbol.dispose]();
});

async function writeMask(name: string, inside: number): Promise<void> {
  folder.write(`data/masks/${name}.png`, await greyPng(rectangle(32, 24, inside), 32, 24));
}

describe('labels beside the images', () => {
  test('are left alone and noted when asked so', async () => {
    await writeMask('a', 1);
    const summary = await importImages(project, { imagesPath: imagesPath(), labels: 'leave' });
    expect(summary).toMatchObject({ usable: 4, masks: 0 });
    expect(project.masks.list()).toEqual([]);
  });

  test('among the images are not taken for images', async () => {
    folder.write('data/images/a_mask.png', await greyPng(rectangle(32, 24, 1), 32, 24));
    folder.write('data/images/lonely_mask.png', await sample(32, 24, 9).png().toBuffer());
    await importImages(project, { imagesPath: imagesPath(), labels: 'leave' });
    const names = project.images.list().map(({ relPath }) => relPath);
    expect(names).toEqual(['a.png', 'b.png', 'c.png', 'd.png', 'lonely_mask.png']);
  });
});

describe('a survey', () => {
  test('finds pairs, values and what they probably mean', async () => {
    await writeMask('a', 80);
    await writeMask('b', 160);
    await writeMask('stray', 80);
    folder.write('data/masks/c.png', await greyPng(rectangle(20, 20, 80), 20, 20));
    await importImages(project, { imagesPath: imagesPath(), labels: 'leave' });
    const survey = await surveyMasks(project, masksPath(), 'one');
    expect(survey).toMatchObject({
      kind: 'files',
      images: 4,
      matched: 3,
      lookedAt: 3,
      proposedBy: 'values',
      unlabelledImages: { count: 1, names: ['d.png'] },
      strayMasks: { count: 1, names: ['stray.png'] },
      problems: { count: 1 },
    });
    expect(survey.problems.rows[0]?.message).toContain('20 x 20 px');
    expect(survey.classes.map(({ name }) => name)).toEqual(['background', 'class 1', 'class 2']);
    expect(survey.values.map(({ value, classIndex, masks }) => [value, classIndex, masks])).toEqual(
      [
        [0, 0, 2],
        [80, 1, 1],
        [160, 2, 1],
      ],
    );
    expect(project.masks.list()).toEqual([]);
  });

  test('draws samples whose grey levels are places in the list of values', async () => {
    await writeMask('a', 160);
    await importImages(project, { imagesPath: imagesPath(), labels: 'leave' });
    const survey = await surveyMasks(project, masksPath(), 'one');
    const drawn = await sharp(project.path(samplePath('one', 0)))
      .toColourspace('b-w')
      .raw()
      .toBuffer();
    expect([...drawn]).toEqual([...rectangle(32, 24, 1)]);
    expect(survey.samples).toHaveLength(1);
  });

  test('counts values between the classes apart', async () => {
    const soft = rectangle(32, 24, 255);
    soft[12 * 32 + 3] = 130;
    folder.write('data/masks/a.png', await greyPng(soft, 32, 24));
    await importImages(project, { imagesPath: imagesPath(), labels: 'leave' });
    const survey = await surveyMasks(project, masksPath(), 'one');
    expect(survey.values.map(({ value }) => value)).toEqual([0, 255]);
    expect(survey.soft).toEqual({ values: 1, pixels: 1, masks: 1 });
  });

  test('says with examples that nothing fits', async () => {
    await writeMask('other', 1);
    await importImages(project, { imagesPath: imagesPath(), labels: 'leave' });
    await expect(surveyMasks(project, masksPath(), 'one')).rejects.toThrow(
      'a mask is called other.png, an image a.png',
    );
  });

  test('takes categories of a COCO file', async () => {
    await importImages(project, { imagesPath: imagesPath(), labels: 'leave' });
    const path = folder.writeJson('labels.json', {
      images: [{ id: 1, file_name: 'a.png', width: 32, height: 24 }],
      categories: [{ id: 7, name: 'cell' }],
      annotations: [{ image_id: 1, category_id: 7, segmentation: [[2, 2, 10, 2, 10, 10, 2, 10]] }],
    });
    const survey = await surveyMasks(project, path, 'one');
    expect(survey).toMatchObject({ kind: 'coco', matched: 1, images: 4 });
    expect(survey.values.map(({ name, classIndex }) => [name, classIndex])).toEqual([
      ['background', 0],
      ['cell', 1],
    ]);
  });
});

describe('a chosen mapping', () => {
  const choice: MaskChoice = {
    classes: [
      { name: 'nothing', color: '#000000' },
      { name: 'cell', color: '#00c8ff' },
    ],
    assignments: [
      { kind: 'index', value: 0, classIndex: 0 },
      { kind: 'index', value: 80, classIndex: 1 },
      { kind: 'index', value: 160, classIndex: 1 },
      { kind: 'index', value: 200, classIndex: null },
    ],
    otherValues: 'refuse',
  };
  const accept = (mapping: MaskChoice) =>
    importImages(project, { imagesPath: imagesPath(), masksPath: masksPath(), mapping });

  test('merges values, ignores others, and stays when looking again', async () => {
    await writeMask('a', 80);
    await writeMask('b', 160);
    await writeMask('c', 200);
    await accept(choice);
    expect(project.classes.list().map(({ name }) => name)).toEqual(['nothing', 'cell']);
    const counted = project.masks.list().map(({ classPixels, ignoredPixels }) => ({
      cell: classPixels[1],
      ignored: ignoredPixels,
    }));
    const inside = rectangle(32, 24, 1).filter((value) => value === 1).length;
    expect(counted).toEqual([
      { cell: inside, ignored: 0 },
      { cell: inside, ignored: 0 },
      { cell: 0, ignored: inside },
    ]);
    await writeMask('d', 160);
    await importImages(project, { imagesPath: imagesPath(), masksPath: masksPath() });
    expect(project.masks.list()).toHaveLength(4);
    expect(readMaskMapping(project)?.source).toBe('chosen');
  });

  test('refuses other values, or ignores their pixels', async () => {
    await writeMask('a', 80);
    await writeMask('b', 33);
    await accept(choice);
    expect(project.masks.list()).toHaveLength(1);
    expect(project.importProblems.list({ code: 'masks.unknown-values' })).toHaveLength(1);
    await accept({ ...choice, otherValues: 'ignore' });
    expect(project.masks.list()).toHaveLength(2);
    const second = project.images.list()[1]?.id ?? '';
    const reader = await openImageMask(project, second);
    const classes = await reader?.readRows(0, 24);
    expect(new Set(classes)).toEqual(new Set([0, 255]));
  });

  test('of a COCO file leaves out categories and stays when looking again', async () => {
    const path = folder.writeJson('labels.json', {
      images: [{ id: 1, file_name: 'a.png', width: 32, height: 24 }],
      categories: [
        { id: 1, name: 'cell' },
        { id: 2, name: 'dirt' },
      ],
      annotations: [
        { image_id: 1, category_id: 1, segmentation: [[2, 2, 10, 2, 10, 10, 2, 10]] },
        { image_id: 1, category_id: 2, segmentation: [[20, 2, 24, 2, 24, 6, 20, 6]] },
      ],
    });
    const mapping: MaskChoice = {
      ...choice,
      assignments: [
        { kind: 'coco', value: 0, classIndex: 0 },
        { kind: 'coco', value: 1, classIndex: 1 },
        { kind: 'coco', value: 2, classIndex: null },
      ],
    };
    const options = { imagesPath: imagesPath(), masksPath: path };
    await importImages(project, { ...options, mapping });
    expect(project.masks.list()[0]).toMatchObject({ classPixels: [688, 64], ignoredPixels: 16 });
    await importImages(project, options);
    expect(project.masks.list()[0]).toMatchObject({ classPixels: [688, 64], ignoredPixels: 16 });
    const imageId = project.masks.list()[0]?.imageId ?? '';
    const reader = await openImageMask(project, imageId);
    const drawn = await reader?.readRows(0, 24);
    expect(drawn?.filter((value) => value === 255)).toHaveLength(16);
  });

  test('of two classes with one name is refused with a sentence', async () => {
    await writeMask('a', 80);
    const twice = [...choice.classes, { name: ' Cell', color: '#ffffff' }];
    await expect(accept({ ...choice, classes: twice })).rejects.toThrow('same name');
  });
});
