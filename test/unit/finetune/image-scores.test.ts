import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readImageScores, writeImageScores } from '../../../src-main/finetune/image-scores.ts';
import { addCounts } from '../../../src-main/finetune/metrics.ts';

let folder = '';
let path = '';

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'scores-'));
  path = join(folder, 'image-scores.json');
});

afterEach(() => rmSync(folder, { recursive: true }));

describe('image scores', () => {
  it('keeps the confusion matrix of each image, from which the counts follow', () => {
    const confusion = [90, 4, 2, 10];
    const counts = { truePositive: [90, 10], falsePositive: [2, 4], falseNegative: [4, 2] };
    const image = { imageId: 'a', confusion, ...counts };
    writeImageScores(path, { val: [], test: [image] });
    expect(readImageScores(path)).toMatchObject({ val: [], test: [image] });
  });

  it('reads files of the first version, which knew no confusion matrices', () => {
    const old = { imageId: 'a', truePositive: [5], falsePositive: [1], falseNegative: [0] };
    writeFileSync(path, JSON.stringify({ val: [old], test: [] }));
    const [image] = readImageScores(path).val;
    expect(image?.confusion).toBeUndefined();
    expect(addCounts([image ?? old], 1).truePositive).toEqual([5]);
  });

  it('says what to do when the file is damaged', () => {
    writeFileSync(path, '{"val": 1}');
    expect(() => readImageScores(path)).toThrow(/Train the model again/);
  });
});
