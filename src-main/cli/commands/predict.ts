import { resolve } from 'node:path';
import * as v from 'valibot';
import type { PredictJobOptions } from '../../jobs/job-options.ts';
import type { Project } from '../../project/project.ts';
import { defineCommand, usageError } from '../command.ts';
import { formatDuration } from '../format.ts';
import { findRun, withAnyProject, withProject } from '../open-project.ts';
import { choice, flag, text } from '../options.ts';
import { runJob } from '../run-job.ts';

const resultSchema = v.object({
  predicted: v.number(),
  skipped: v.array(v.object({ input: v.string(), code: v.string(), message: v.string() })),
  kept: v.number(),
  stopped: v.boolean(),
  seconds: v.number(),
});

export const predict = defineCommand({
  name: 'predict',
  summary: 'Segment pictures with a model',
  details:
    'Writes an indexed-color mask and an overlay for each picture, of any size. Pictures that cannot\n' +
    'be read are listed and skipped. An ONNX file works without a project.',
  arguments: [
    { name: 'MODEL', help: 'a fine-tuned run, or an ONNX file written by "decon export"' },
    { name: 'PICTURE', help: 'pictures and folders of pictures', isRepeated: true },
  ],
  options: {
    out: text('DIR', 'where to write (default: the folder "predictions" here)'),
    names: text('PATTERN', 'how to name the outputs, e.g. "{path}" or "{name}-{model}"'),
    noOverlays: flag('write masks only'),
    probabilities: choice(['8bit', 'float32'], 'also write one probability map a class'),
    existing: choice(['refuse', 'replace', 'keep'], 'what to do with masks that are there already'),
    device: text('NAME', 'cpu, webgpu, cuda... (default: auto, the fastest that works)'),
  },
  examples: ['decon predict finetune-1 new-images', 'decon predict cells.onnx a.tif --out masks'],
  run: ({ options, words: [model = '', ...pictures], output }) => {
    // A model file holds all it needs, so it works where there is no project.
    const withSome = model.endsWith('.onnx') ? withAnyProject : withProject;
    return withSome(options.project, async (project) => {
      const outDir = resolve(options.out ?? 'predictions');
      const jobOptions: PredictJobOptions = {
        model: modelOf(project, model),
        device: options.device ?? 'auto',
        inputs: pictures.map((picture) => resolve(picture)),
        outDir,
        overlays: !options.noOverlays,
        probabilities: options.probabilities ?? 'none',
        existing: options.existing ?? 'refuse',
        ...(options.names === undefined ? {} : { names: options.names }),
      };
      const { result } = await runJob(project, { type: 'predict', options: jobOptions }, output);
      const { predicted, skipped, kept, stopped, seconds } = v.parse(resultSchema, result);
      for (const file of skipped) output.record('skipped', { ...file });
      const skippedCount = skipped.length;
      output.record('predicted', { predicted, skippedCount, kept, stopped, seconds, outDir });
      output.text(
        `Segmented ${predicted} pictures in ${formatDuration(seconds)}, skipped ${skippedCount}` +
          `${kept > 0 ? `, kept ${kept} that were there` : ''}. They are in ${outDir}.`,
      );
    });
  },
});

function modelOf(project: Project, word: string): PredictJobOptions['model'] {
  if (word.endsWith('.onnx')) return { type: 'file', path: resolve(word) };
  const run = findRun(project, word);
  if (run.kind === 'finetune') return { type: 'run', runId: run.id };
  throw usageError('predict', `${run.name} is a pre-training and does not segment.`);
}
