import { resolve } from 'node:path';
import { createProject } from '../../project/project.ts';
import { defineCommand } from '../command.ts';
import { text } from '../options.ts';

export const init = defineCommand({
  name: 'init',
  summary: 'Make a project folder',
  arguments: [{ name: 'NAME', help: 'the folder to make; ".decon" is added when it is not there' }],
  options: { name: text('NAME', 'what to call the project (default: as the folder)') },
  examples: ['decon init cells'],
  run: async ({ options, words: [folder = ''], output }) => {
    const dir = resolve(folder.endsWith('.decon') ? folder : `${folder}.decon`);
    const project = createProject(dir, options.name);
    output.record('project', { id: project.id, name: project.name, dir: project.dir });
    output.text(`Made the project ${project.name} in ${project.dir}.`);
    project.dispose();
    await Promise.resolve();
  },
});
