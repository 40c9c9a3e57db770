import { resolve } from 'node:path';
import { chooseDevice } from '../../graph/devices.ts';
import { readSlotModel } from '../../inference/slot-model.ts';
import { drawSlots } from '../../inference/slots.ts';
import { defineCommand, usageError } from '../command.ts';
import { findRun, withProject } from '../open-project.ts';
import { text } from '../options.ts';
import { abortOnSignal } from '../signals.ts';

export const slots = defineCommand({
  name: 'slots',
  summary: 'Draw which slot each pixel of a picture belongs to',
  details:
    'Shows what a pre-training run groups together, at its encoder and at each decoder level\n' +
    '(Figure 3 of the paper).',
  arguments: [{ name: 'RUN', help: 'name or id of a pre-training run' }],
  options: {
    image: text('FILE', 'the picture'),
    out: text('DIR', 'where to write (default: the folder "slots-RUN" here)'),
    device: text('NAME', 'cpu, webgpu, cuda... (default: auto, the fastest that works)'),
  },
  examples: ['decon slots pretrain-1 --image cells/a01.png'],
  run: ({ options, words: [word = ''], output }) =>
    withProject(options.project, async (project) => {
      if (options.image === undefined) throw usageError('slots', '--image is missing.');
      const imagePath = resolve(options.image);
      const run = findRun(project, word);
      const outDir = resolve(options.out ?? `slots-${run.name}`);
      const model = readSlotModel(project, run);
      const choice = await abortOnSignal((signal) =>
        chooseDevice(options.device ?? 'auto', { signal }),
      );
      const drawn = await drawSlots(model, { imagePath, outDir, device: choice.device });
      output.record('slots', { run: run.name, ...drawn });
      for (const { name, slots: count } of drawn.maps) output.text(`${name}: ${count} slots`);
      output.text(`The pictures are in ${drawn.folder}; ${drawn.sheet} shows them all.`);
    }),
});
