import { describe, expect, it } from 'vitest';
import { GraphBuilder, checkShapes, type Graph } from '../../../src-main/graph/ir.ts';
import { winogradConvolutions } from '../../../src-main/graph/passes/winograd-convolutions.ts';
import { partsOf } from '../../../src-main/graph/winograd.ts';
import { relativeError, runGraph } from './run-graph.ts';

/** Of the largest number: these sums lose a decimal digit against direct ones. */
const tolerance = 2e-5;

interface Geometry {
  readonly image: readonly [batch: number, channels: number, height: number, width: number];
  readonly outputs?: number;
  readonly kernel?: readonly [number, number];
  readonly stride?: number;
  readonly pads?: readonly [top: number, left: number, bottom: number, right: number];
}

function convolution({
  image,
  outputs = 130,
  kernel = [3, 3],
  stride = 1,
  pads = [1, 1, 1, 1],
}: Geometry): Graph {
  const graph = new GraphBuilder();
  const map = graph.input('image', 'float32', image);
  const filter = graph.input('filter', 'float32', [outputs, image[1], ...kernel]);
  const result = graph.node('Conv', [map, filter], {
    ...{ kernel_shape: kernel, strides: [stride, stride], dilations: [1, 1], pads },
  });
  return graph.finish([{ name: 'map', value: result }]);
}

function operators({ nodes }: Graph): readonly string[] {
  return nodes.map(({ operator }) => operator);
}

describe('winogradConvolutions', () => {
  it('makes products of a convolution', () => {
    const before = convolution({ image: [2, 128, 8, 8] });
    const after = winogradConvolutions(before, 'cpu');
    checkShapes(after);
    expect(operators(before)).toEqual(['Conv']);
    expect(operators(after)).not.toContain('Conv');
    // Rows and columns in, the 36 places, columns and rows out.
    expect(operators(after).filter((name) => name === 'MatMul')).toHaveLength(5);
    expect(after.outputs[0]?.value.shape).toEqual([2, 130, 8, 8]);
  });

  it.each<Geometry>([
    { image: [2, 128, 8, 8] },
    { image: [3, 129, 4, 4], outputs: 128 },
    { image: [1, 128, 7, 5] },
    { image: [1, 128, 3, 2] },
    { image: [2, 128, 6, 9], pads: [0, 0, 0, 0] },
    { image: [1, 128, 9, 6], pads: [0, 2, 1, 0] },
  ])('gives the same numbers: $image, padding $pads', async (geometry) => {
    const before = convolution(geometry);
    const after = winogradConvolutions(before, 'cpu');
    expect(operators(after)).not.toContain('Conv');
    const [actual, expected] = [await runGraph(after), await runGraph(before)];
    expect(relativeError(actual['map'], expected['map'])).toBeLessThan(tolerance);
  });

  it('works in parts where a map is large', async () => {
    const before = convolution({ image: [8, 128, 64, 64], outputs: 128 });
    const after = winogradConvolutions(before, 'cpu');
    checkShapes(after);
    expect(operators(after).filter((name) => name === 'MatMul')).toHaveLength(15);
    const [actual, expected] = [await runGraph(after), await runGraph(before)];
    expect(relativeError(actual['map'], expected['map'])).toBeLessThan(tolerance);
  });

  it.each<[string, Geometry, 'cpu' | 'webgpu']>([
    ['few channels', { image: [2, 64, 8, 8] }, 'cpu'],
    ['few outputs', { image: [2, 128, 8, 8], outputs: 12 }, 'cpu'],
    ['steps of two', { image: [2, 128, 8, 8], stride: 2 }, 'cpu'],
    ['single pixels', { image: [2, 128, 8, 8], kernel: [1, 1], pads: [0, 0, 0, 0] }, 'cpu'],
    ['maps of two pixels each way', { image: [2, 128, 2, 2] }, 'cpu'],
    ['other devices', { image: [2, 128, 8, 8] }, 'webgpu'],
  ])('leaves %s alone', (_, geometry, provider) => {
    expect(operators(winogradConvolutions(convolution(geometry), provider))).toEqual(['Conv']);
  });
});

describe('partsOf', () => {
  const line = (size: number) => ({ inputs: size, outputs: size, before: 1 });

  it('covers the six places of a row once', () => {
    for (const batch of [1, 8, 16, 64]) {
      const parts = partsOf([line(32), line(32)], batch, [256, 256]);
      expect(parts.flat()).toEqual([0, 1, 2, 3, 4, 5]);
    }
  });

  it('cuts large maps and large filters', () => {
    expect(partsOf([line(8), line(8)], 8, [256, 256])).toHaveLength(1);
    expect(partsOf([line(32), line(32)], 16, [256, 256])).toHaveLength(3);
    expect(partsOf([line(4), line(4)], 2, [512, 512])).toHaveLength(3);
  });
});
