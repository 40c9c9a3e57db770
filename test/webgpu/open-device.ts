import { relu } from '@tensorflow/tfjs-core';
import { afterAll, describe } from 'vitest';
import { compileFunction } from '../../src-main/graph/compile.ts';
import { requireHalf } from '../../src-main/graph/half-device.ts';
import { messageOf } from '../../src-main/lib/errors.ts';
import { WEBGPU } from '../unit/graph/check-op.ts';

/**
 * As `describeOnWebgpu`, but skipped as well where the device has no 16-bit numbers. The driver in
 * software has none.
 */
export async function describeInHalf(): Promise<typeof describe | typeof describe.skip> {
  const wanted = await describeOnWebgpu();
  if (wanted === describe.skip) return wanted;
  try {
    await requireHalf(WEBGPU);
    return wanted;
  } catch (error) {
    console.warn(`WebGPU checks in half precision skipped: ${messageOf(error)}`);
    return describe.skip;
  }
}

/**
 * `describe` where WebGPU starts, else `describe.skip` after saying why; `DECON_REQUIRE_WEBGPU` makes
 * that a failure. One session stays open for the whole file, because onnxruntime drops the device
 * and its compiled shaders with the last one.
 */
export async function describeOnWebgpu(): Promise<typeof describe | typeof describe.skip> {
  try {
    const session = await compileFunction((_, { x }) => ({ y: relu(x ?? 0) }), {
      params: {},
      inputs: { x: { shape: [1], dtype: 'float32' } },
      device: WEBGPU,
      label: 'open',
    });
    afterAll(() => session.dispose());
    return describe;
  } catch (error) {
    if (process.env['DECON_REQUIRE_WEBGPU'] !== undefined) throw error;
    console.warn(
      `WebGPU checks skipped: ${messageOf(error)}\nOn Debian, "apt-get install chromium libvulkan1" brings a driver in software.`,
    );
    return describe.skip;
  }
}
