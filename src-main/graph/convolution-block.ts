import { BLOCKED, GraphBuilder } from './ir.ts';
import { writeOnnx } from './onnx-writer.ts';
import { hostTensor, openSession, sessionTensor } from './session.ts';
import type { Device } from './types.ts';

/**
 * How many channels onnxruntime puts side by side for convolutions on this processor: 8 or 16, and 1
 * where it has no such operators. Found by what they do with numbers that tell their channel.
 */
export async function convolutionBlock(device: Device): Promise<number> {
  if (device.provider !== 'cpu') return 1;
  known ??= measured(device).catch(() => 1);
  return known;
}

async function measured(device: Device): Promise<number> {
  const graph = new GraphBuilder(device.provider);
  const shape = [1, channels, 1, pixels];
  const map = graph.node(`${BLOCKED}ReorderInput`, [graph.input('map', 'float32', shape)]);
  const model = writeOnnx(graph.finish([{ name: 'blocks', value: map }]), 'channels in blocks');
  const session = await openSession(model, device);
  try {
    const byChannel = Float32Array.from({ length: channels * pixels }, (_, i) =>
      Math.floor(i / pixels),
    );
    const { blocks } = await session.run({
      map: sessionTensor({ shape, dtype: 'float32' }, byChannel),
    });
    if (blocks === undefined) return 1;
    // The first pixel's channels stand first; then its second pixel begins with channel 0 again.
    const block = hostTensor(blocks).data.indexOf(0, 1);
    return block > 1 ? block : 1;
  } finally {
    await session.release();
  }
}

let known: Promise<number> | undefined;

const channels = 64;
const pixels = 4;
