import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as v from 'valibot';
import { describe, expect, test } from 'vitest';
import { Random } from '../../../src-main/lib/random.ts';
import { isBatchCounter } from '../../../src-main/nn/names.ts';
import { withPrefix } from '../../../src-main/nn/tensors.ts';
import type { MethodConfig } from '../../../src-main/pretrain/config.ts';
import { initPretrainState } from '../../../src-main/pretrain/state.ts';

const folder = join(
  process.env['DECON_SHARED'] ?? join(import.meta.dirname, '../../../../shared'),
  'golden',
);
const isThere = existsSync(folder);
const note = isThere ? '' : ` (skipped: no reference files at ${folder})`;

const ListsSchema = v.record(
  v.string(),
  v.union([v.string(), v.record(v.string(), v.array(v.number()))]),
);

type Shapes = Readonly<Record<string, readonly number[]>>;

describe.skipIf(!isThere)(`names and shapes equal the reference's, all widths / 8${note}`, () => {
  test('SlotCon, ResNet-50, 256 prototypes', () => {
    const { parameters = {}, buffers = {} } = read('names_slotcon_resnet50_k256.json');
    expect(shapesOf({ ...config, decoder: 'none' })).toEqual({ ...parameters, ...buffers });
  });

  test.each([
    { list: 'decoder FPN, all levels (DeCon-ML)', decoder: 'fpn', levels: 'multi' },
    { list: 'decoder FPN, p2 only (DeCon-SL)', decoder: 'fpn', levels: 'single' },
    { list: 'decoder FCN, Cityscapes/VOC form (DeCon-SL)', decoder: 'fcn', levels: 'single' },
  ] as const)('$list', ({ list, decoder, levels }) => {
    const lists = read('names_decon_resnet50.json');
    const shapes = shapesOf({ ...config, decoder, levels });
    expect(withPrefix(shapes, 'decoder_q.')).toEqual(lists[list]);
    const isMulti = levels === 'multi';
    const heads = lists[isMulti ? 'heads, level i in 0..3 = p2,p3,p4,p5' : 'heads, single level'];
    for (const index of isMulti ? ['0', '1', '2', '3'] : ['']) {
      for (const [name, shape] of Object.entries(heads ?? {})) {
        expect(shapes[name.replace('{i}', index)], name).toEqual(shape);
      }
    }
  });
});

function shapesOf(method: MethodConfig): Shapes {
  const state = initPretrainState(method, new Random(1));
  return Object.fromEntries(Object.entries(state).map(([name, { shape }]) => [name, shape]));
}

/** The lists of a file at our size, without batch norm's call counters, which we do not keep. */
function read(file: string): Readonly<Record<string, Shapes>> {
  const lists = v.parse(ListsSchema, JSON.parse(readFileSync(join(folder, file), 'utf8')));
  return Object.fromEntries(
    Object.entries(lists).map(([title, list]) => [
      title,
      Object.fromEntries(
        Object.entries(typeof list === 'string' ? {} : list)
          .filter(([name]) => !isBatchCounter(name))
          .map(([name, shape]) => [name, shape.map((side) => (side < 64 ? side : side / 8))]),
      ),
    ]),
  );
}

const config: MethodConfig = {
  encoder: { block: 'bottleneck', depths: [3, 4, 6, 3], width: 8 },
  decoder: 'fpn',
  levels: 'multi',
  decoderChannels: 32,
  fcnForm: 'cityscapes',
  dim: 32,
  hidden: 512,
  prototypes: 32,
  decoderHidden: 512,
  decoderPrototypes: 32,
  alpha: 0.5,
  groupWeight: 0.5,
  decoderGroupWeight: 0.5,
  studentTemperature: 0.1,
  teacherTemperature: 0.07,
  attentionTemperature: 0.07,
  contrastTemperature: 0.2,
  dropout: 0.5,
  dropoutSite: 'after-lateral',
  ema: 'consistent',
  teacherMomentum: 0.99,
  centerMomentum: 0.9,
};
