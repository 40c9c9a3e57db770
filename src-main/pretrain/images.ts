import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as v from 'valibot';
import { AppError } from '../lib/errors.ts';
import { writeFileAtomic } from '../lib/files.ts';
import type { Project } from '../project/project.ts';

/**
 * Ids of the images that a run learns from: all usable ones of the splits train and unlabelled, never
 * those of val and test. The run keeps the list, so that images imported later do not change how it
 * is continued.
 * @throws AppError `pretrain.no-images`, `pretrain.images-missing`
 */
export function trainingImages(project: Project, runId: string): readonly string[] {
  const file = join(project.runFolder(runId), 'images.json');
  if (existsSync(file)) return storedImages(project, file);
  const ids = [...usableIds(project, 'train'), ...usableIds(project, 'unlabelled')];
  if (ids.length === 0) {
    throw new AppError(
      'pretrain.no-images',
      'The project has no images to learn from. Import a folder with images first.',
    );
  }
  writeFileAtomic(file, [Buffer.from(JSON.stringify(ids))]);
  return ids;
}

/** Page by page, in path order: whole rows of 100,000 images would fill memory. */
function* usableIds(project: Project, split: 'train' | 'unlabelled'): Generator<string> {
  const limit = 5000;
  for (let offset = 0; ; offset += limit) {
    const page = project.images.list({ split, status: 'usable', limit, offset });
    for (const { id } of page) yield id;
    if (page.length < limit) return;
  }
}

function storedImages(project: Project, file: string): readonly string[] {
  const ids = v.parse(v.array(v.string()), JSON.parse(readFileSync(file, 'utf8')));
  const missing = ids.filter((id) => project.images.get(id) === undefined).length;
  if (missing === 0) return ids;
  throw new AppError(
    'pretrain.images-missing',
    `${missing} of the ${ids.length} images that this run learns from are no longer in the project, ` +
      'so it cannot be continued exactly. Import them again, or start a new run.',
  );
}
