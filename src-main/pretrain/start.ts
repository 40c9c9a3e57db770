import { basename } from 'node:path';
import type { HostTensor, HostTensors } from '../graph/types.ts';
import { teacherWeights } from '../nn/names.ts';
import { readSafetensors } from '../nn/safetensors.ts';
import { describeLoad, loadWeights } from '../nn/weights.ts';
import type { PretrainConfig } from './config.ts';
import { initialState } from './step.ts';

/**
 * The state before the first step. With `startWeights`, the student and the teacher begin with the
 * encoder (and decoder) of that file: torchvision's names, or those of our own models; what was and
 * was not taken over is told in sentences.
 * @throws AppError `weights.*`
 */
export function startState(config: PretrainConfig): {
  readonly state: HostTensors;
  readonly notices: readonly string[];
} {
  const fresh = initialState(config);
  if (config.startWeights === undefined) return { state: fresh, notices: [] };
  const source = readSafetensors(config.startWeights).tensors;
  const hasDecoder = Object.keys(source).some((name) => /^decoder(_k)?\./.test(name));
  const parts = hasDecoder ? ['encoder.', 'decoder.'] : ['encoder.'];
  const { tensors, report } = loadWeights(teacherWeights(fresh), source, parts);
  const state: Record<string, HostTensor> = { ...fresh };
  for (const name of report.loaded) {
    const tensor = tensors[name];
    if (tensor === undefined) continue;
    for (const side of ['q', 'k']) state[name.replace('.', `_${side}.`)] = tensor;
  }
  const file = basename(config.startWeights);
  const taken = `${report.loaded.length} tensors of ${file} are the start.`;
  return { state, notices: [taken, ...describeLoad(report)] };
}
