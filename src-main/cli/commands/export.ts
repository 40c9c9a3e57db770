import { resolve } from 'node:path';
import { exportTargets } from '../../inference/export-plan.ts';
import { exportRun } from '../../inference/export.ts';
import { defineCommand } from '../command.ts';
import { formatBytes } from '../format.ts';
import { findRun, withProject } from '../open-project.ts';
import { choice, text } from '../options.ts';

export const exportCommand = defineCommand({
  name: 'export',
  summary: 'Write the model of a run for use elsewhere',
  details:
    'onnx: one file that holds weights, normalization, classes and provenance; it is read back, run\n' +
    'and compared before it counts. The others: safetensors with the names of that library.',
  arguments: [{ name: 'RUN', help: 'name or id of a run' }],
  options: {
    to: choice(exportTargets, 'the form (default: onnx)'),
    out: text('DIR', 'where to write (default: the folder "models" of the project)'),
    license: text('TEXT', 'the license of the weights, for their card'),
  },
  examples: ['decon export finetune-1', 'decon export pretrain-1 --to torchvision --out weights'],
  run: ({ options, words: [word = ''], output }) =>
    withProject(options.project, async (project) => {
      const run = findRun(project, word);
      const summary = await exportRun(project, run.id, {
        target: options.to ?? 'onnx',
        ...(options.out === undefined ? {} : { outDir: resolve(options.out) }),
        ...(options.license === undefined ? {} : { license: options.license }),
      });
      output.record('exported', { run: run.name, ...summary });
      for (const { path, bytes } of summary.files) {
        output.text(`Wrote ${path} (${formatBytes(bytes)}).`);
      }
      if (summary.maxDifference !== undefined) {
        const difference = summary.maxDifference.toExponential(1);
        output.text(`It gives what the trained network gives (largest difference ${difference}).`);
      }
      output.text(`How to use it: ${summary.card}`);
    }),
});
