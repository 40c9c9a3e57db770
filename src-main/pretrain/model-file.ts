import { join } from 'node:path';
import type { HostTensors } from '../graph/types.ts';
import { defined } from '../lib/errors.ts';
import { imagenetMean, imagenetStd } from '../nn/image-ops.ts';
import { isBatchCounter, teacherWeights } from '../nn/names.ts';
import type { Project } from '../project/project.ts';
import { writeTensors } from './checkpoint.ts';
import type { PretrainConfig } from './config.ts';

/** The format that `project.models` knows the file by. */
export const teacherFormat = 'safetensors-decon';

/**
 * Writes the teacher's encoder and decoder (`encoder.*`, `decoder.*`) as the run's model, in place of
 * an earlier one, and records it as the run's final checkpoint.
 */
export function writeTeacher(
  project: Project,
  runId: string,
  content: {
    readonly state: HostTensors;
    readonly step: number;
    readonly config: PretrainConfig;
  },
): { readonly file: string } {
  const { name } = defined(project.runs.get(runId), 'run');
  const { state, step, config } = content;
  const { encoder, decoder, decoderChannels, fcnForm } = config;
  const facts = { network: { encoder, decoder, decoderChannels, fcnForm }, step, run: name };
  const weights = Object.entries(teacherWeights(state)).filter(([key]) => !isBatchCounter(key));
  const path = join(project.path('models'), `${name}.safetensors`);
  const written = writeTensors(project, path, Object.fromEntries(weights), {
    format: 'decon-weights',
    version: '1',
    network: JSON.stringify(facts.network),
    normalization: JSON.stringify({ mean: imagenetMean, std: imagenetStd }),
    run: name,
    step: String(step),
    config: JSON.stringify(config),
  });
  project.transaction(() => {
    for (const model of project.models.list(runId)) {
      if (model.format === teacherFormat) project.models.remove(model.id);
    }
    project.models.add({ runId, format: teacherFormat, facts, ...written });
    project.checkpoints.put({ runId, kind: 'final', step, ...written });
  });
  return { file: written.file };
}
