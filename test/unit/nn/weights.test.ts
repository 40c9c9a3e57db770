import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { HostTensor, HostTensors } from '../../../src-main/graph/types.ts';
import { AppError } from '../../../src-main/lib/errors.ts';
import { Random } from '../../../src-main/lib/random.ts';
import { exportNames, teacherWeights } from '../../../src-main/nn/names.ts';
import { initEncoder } from '../../../src-main/nn/resnet.ts';
import { readSafetensors, writeSafetensors } from '../../../src-main/nn/safetensors.ts';
import { describeLoad, loadWeights } from '../../../src-main/nn/weights.ts';

const tiny = { block: 'basic', depths: [1, 1, 1, 1], width: 2 } as const;

describe('safetensors', () => {
  const tensors: HostTensors = {
    'a.weight': floats([2, 3], [1, 2, 3, 4, 5, 6.5]),
    scalar: floats([], [7]),
    count: { shape: [1], dtype: 'int32', data: Int32Array.of(-3) },
    bytes: { shape: [3], dtype: 'uint8', data: Uint8Array.of(0, 128, 255) },
  };

  test('what was written is read back, from memory and from disk', () => {
    const bytes = writeSafetensors(tensors, { note: 'for a test' });
    expect(readSafetensors(bytes)).toEqual({ tensors, metadata: { note: 'for a test' } });
    const path = join(mkdtempSync(join(tmpdir(), 'weights-')), 'w.safetensors');
    writeFileSync(path, bytes);
    expect(readSafetensors(path).tensors).toEqual(tensors);
  });

  test('half precision becomes float32', () => {
    const bytes = fileWith(
      { x: { dtype: 'F16', shape: [2], data_offsets: [0, 4] } },
      [0x00, 0x3c, 0x00, 0xc0],
    );
    expect(Array.from(readSafetensors(bytes).tensors['x']?.data ?? [])).toEqual([1, -2]);
    const brain = fileWith(
      { x: { dtype: 'BF16', shape: [2], data_offsets: [0, 4] } },
      [0x80, 0x3f, 0x00, 0xc0],
    );
    expect(Array.from(readSafetensors(brain).tensors['x']?.data ?? [])).toEqual([1, -2]);
  });

  const entry = { dtype: 'F32', shape: [1], data_offsets: [0, 4] };
  test.each([
    ['too short', Uint8Array.of(1, 2)],
    ['cut off', writeSafetensors(tensors).subarray(0, 40)],
    ['header is cut off', Uint8Array.of(255, 255, 255, 255, 255, 255, 255, 255, 0)],
    ['not valid JSON', rawFile('{"a": ', [])],
    ['not a list', rawFile('[1]', [])],
    ['malformed', fileWith({ x: { dtype: 'F32' } }, [])],
    ['malformed', fileWith({ x: { ...entry, shape: [-1] } }, [0, 0, 0, 0])],
    ['unknown number format F8', fileWith({ x: { ...entry, dtype: 'F8' } }, [0, 0, 0, 0])],
    ['does not fit its shape', fileWith({ x: { ...entry, shape: [2] } }, [0, 0, 0, 0])],
    ['data of x is cut off', fileWith({ x: entry }, [0, 0])],
    ['metadata is not text', fileWith({ __metadata__: { a: 1 } }, [])],
  ])('a broken file is refused: %s', (reason, bytes) => {
    expect(() => readSafetensors(bytes, 'w.safetensors')).toThrow(reason);
    expect(() => readSafetensors(bytes, 'w.safetensors')).toThrow(AppError);
  });

  test('a missing file is refused in a sentence', () => {
    expect(() => readSafetensors('/nowhere/w.safetensors')).toThrow(
      /w\.safetensors cannot be read .* could not be opened/,
    );
  });
});

describe('loading', () => {
  const target: HostTensors = {
    ...initEncoder(tiny, 'encoder', new Random(1)),
    'classifier.bias': floats([2], [0, 0]),
  };

  test('torchvision names fill the encoder; the rest of the file is listed', () => {
    const other = initEncoder(tiny, 'encoder', new Random(2));
    const file = { ...exportNames(other, 'torchvision'), 'fc.weight': floats([1], [1]) };
    const { tensors, report } = loadWeights(target, file);
    expect(tensors['encoder.conv1.weight']).toEqual(other['encoder.conv1.weight']);
    expect(tensors['classifier.bias']).toBe(target['classifier.bias']);
    expect(report.loaded).toHaveLength(Object.keys(other).length);
    expect(report).toMatchObject({ missing: [], mismatched: [], unknown: ['fc.weight'] });
    expect(describeLoad(report)).toEqual(['These names in the file are not used here: fc.weight.']);
  });

  test('missing and mis-shaped names are reported and keep their start values', () => {
    const file: HostTensors = {
      'module.encoder_k.conv1.weight': floats([1], [5]),
      'backbone.bn1.weight': floats([2], [3, 4]),
      'bn1.num_batches_tracked': { shape: [], dtype: 'int32', data: Int32Array.of(9) },
    };
    const { tensors, report } = loadWeights(target, file);
    expect(tensors['encoder.conv1.weight']).toBe(target['encoder.conv1.weight']);
    expect(tensors['encoder.bn1.weight']).toBe(file['backbone.bn1.weight']);
    expect(report.mismatched).toEqual([
      { name: 'encoder.conv1.weight', expected: [2, 3, 7, 7], found: [1] },
    ]);
    expect(report.missing).toContain('encoder.bn1.bias');
    expect(report.unknown).toEqual([]);
  });

  test('a file without anything useful is refused', () => {
    expect(() => loadWeights(target, { 'fc.weight': floats([1], [1]) })).toThrow(
      'No weight of this file fits the network.',
    );
  });
});

describe('names of other libraries', () => {
  const value = floats([1], [1]);
  const state = Object.fromEntries(
    [
      'encoder_k.conv1.weight',
      'encoder_k.bn1.weight',
      'encoder_k.layer1.0.bn3.bias',
      'encoder_k.layer4.0.downsample.1.running_var',
      'encoder_q.conv1.weight',
      'decoder_k.fpn_lateral3.weight',
      'decoder_k.fpn_output2.norm.bias',
      'decoder_k.convs.0.bn.weight',
      'projector_k.mlp.0.weight',
      'center',
    ].map((name) => [name, value]),
  );

  test.each([
    [
      'torchvision',
      [
        'conv1.weight',
        'bn1.weight',
        'layer1.0.bn3.bias',
        'layer4.0.downsample.1.running_var',
        'fpn.inner_blocks.1.0.weight',
        'fpn.layer_blocks.0.1.bias',
        'convs.0.bn.weight',
      ],
    ],
    [
      'mmsegmentation',
      [
        'conv1.weight',
        'bn1.weight',
        'layer1.0.bn3.bias',
        'layer4.0.downsample.1.running_var',
        'lateral_convs.1.conv.weight',
        'fpn_convs.0.bn.bias',
        'convs.0.bn.weight',
      ],
    ],
    [
      'detectron2',
      [
        'stem.conv1.weight',
        'stem.conv1.norm.weight',
        'res2.0.conv3.norm.bias',
        'res5.0.shortcut.norm.running_var',
        'fpn_lateral3.weight',
        'fpn_output2.norm.bias',
        'convs.0.bn.weight',
      ],
    ],
  ] as const)('%s', (style, expected) => {
    expect(Object.keys(exportNames(teacherWeights(state), style))).toEqual(expected);
  });
});

function floats(shape: readonly number[], values: readonly number[]): HostTensor {
  return { shape, dtype: 'float32', data: Float32Array.from(values) };
}

function rawFile(header: string, data: readonly number[]): Uint8Array {
  const text = new TextEncoder().encode(header);
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(text.length));
  return Buffer.concat([length, text, Uint8Array.from(data)]);
}

function fileWith(header: Readonly<Record<string, unknown>>, data: readonly number[]): Uint8Array {
  return rawFile(JSON.stringify(header), data);
}
