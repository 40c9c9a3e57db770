import type { Device, HostTensors } from '../graph/types.ts';
import { readSafetensors } from '../nn/safetensors.ts';
import type { Project } from '../project/project.ts';
import type { ModelDescription } from './model-description.ts';
import type { LoadedModel } from './model-file.ts';
import { runDescription, servedRun } from './run-description.ts';
import { compilePredictor } from './segmentation.ts';

/** A fine-tuned network and everything that is known about it. */
export interface RunModel {
  readonly params: HostTensors;
  readonly description: ModelDescription;
}

/**
 * Reads the served weights of a fine-tuning run and describes them for a model file.
 * @throws AppError `runs.no-model` when the run has no weights to serve yet or segments nothing
 */
export function readRunModel(project: Project, runId: string, license = ''): RunModel {
  const { run, file } = servedRun(project, runId);
  const { tensors, metadata } = readSafetensors(file);
  return { params: tensors, description: runDescription(project, run, { metadata, license }) };
}

/** A fine-tuned run, ready to predict on a device. Whoever loaded it disposes it. */
export async function loadRunModel(
  project: Project,
  runId: string,
  device: Device,
): Promise<LoadedModel> {
  const { params, description } = readRunModel(project, runId);
  const network = await compilePredictor(description.network, params, {
    tileSizePx: description.tileSizePx,
    batchSize: 1,
    device,
  });
  return {
    description,
    predictor: network.withParams(params),
    dispose: () => network.dispose(),
  };
}
