import { join } from 'node:path';
import { importImages } from '../../../src-main/datasets/import.ts';
import { createProject, type Project } from '../../../src-main/project/project.ts';
import { greyPng, rectangle, sample, type TemporaryFolder } from '../datasets/sample-files.ts';

/** A project with twelve labelled pictures: eight to train with, two each to choose and to test. */
export async function labelledProject(folder: TemporaryFolder): Promise<Project> {
  const project = createProject(join(folder.path, 'Test.decon'));
  const names = Array.from({ length: 12 }, (_, i) => `${i + 10}.png`);
  for (const [i, name] of names.entries()) {
    folder.write(`data/images/${name}`, await sample(40, 32, i).png().toBuffer());
    folder.write(`data/masks/${name}`, await greyPng(rectangle(40, 32, 1), 40, 32));
  }
  folder.writeJson('data/classes.json', {
    ignore_index: null,
    classes: ['ground', 'cell'].map((name, index) => ({ index, name, colour: '#00c8ff' })),
  });
  folder.writeJson('data/split.json', {
    train: names.slice(0, 8),
    val: names.slice(8, 10),
    test: names.slice(10),
    unlabelled: [],
  });
  await importImages(project, { imagesPath: join(folder.path, 'data') });
  return project;
}
