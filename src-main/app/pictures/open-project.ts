import { openProject, type Project } from '../../project/project.ts';

let opened: Project | undefined;

/** The project, opened once in the picture process, which never changes it. */
export function projectAt(dir: string): Project {
  opened ??= openProject(dir, { migrate: false });
  if (opened.dir !== dir) throw new Error(`This picture process belongs to ${opened.dir}`);
  return opened;
}
