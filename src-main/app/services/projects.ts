import { existsSync } from 'node:fs';
import { cp } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import type { OpenProject } from '../../contract/projects.ts';
import { AppError } from '../../lib/errors.ts';
import { demoFolder } from '../../lib/program-entries.ts';
import { createProject } from '../../project/project.ts';
import { withTilde } from '../places.ts';
import { projectState } from '../project-state.ts';
import type { Workspace } from '../workspace.ts';
import { implementation } from './base.ts';

const demoName = 'Nuclei demo';

export function projectsService(workspace: Workspace) {
  const { places, userState } = workspace;
  const procedures = implementation.projects;
  const current = (): OpenProject => projectState(workspace.current);
  return {
    current: procedures.current.handler(() =>
      workspace.opened === undefined ? null : projectState(workspace.opened),
    ),
    recent: procedures.recent.handler(() =>
      userState.current.recent.map(({ dir, name, openedAt }) => ({
        placeId: places.add(dir).placeId,
        name,
        shown: withTilde(dir),
        openedAt,
        isThere: existsSync(join(dir, 'project.sqlite')),
        isOpen: dir === workspace.opened?.project.dir,
      })),
    ),
    forget: procedures.forget.handler(({ input }) => {
      const dir = places.pathOf(input.placeId);
      const recent = userState.current.recent.filter((entry) => entry.dir !== dir);
      userState.change({ recent });
      workspace.changes.touch('project');
    }),
    open: procedures.open.handler(async ({ input }) => {
      await workspace.open(places.pathOf(input.placeId));
      return current();
    }),
    create: procedures.create.handler(async ({ input }) => {
      const folder = input.inPlaceId === undefined ? usualFolder() : places.pathOf(input.inPlaceId);
      const name = fileName(input.name);
      await workspace.use(createProject(join(folder, `${name}.decon`), name));
      return current();
    }),
    usualPlace: procedures.usualPlace.handler(() => places.add(usualFolder())),
    createDemo: procedures.createDemo.handler(async () => {
      const project = createProject(freeFolder(usualFolder(), demoName), demoName);
      // A project refers to its images where they are, and the program may be updated or moved.
      const imagesPath = join(project.dir, 'demo');
      await cp(demoFolder, imagesPath, { recursive: true });
      await workspace.use(project);
      workspace.queue.add({ type: 'import', options: { imagesPath } });
      return current();
    }),
    close: procedures.close.handler(() => workspace.close()),
  };
}

/** Where projects go when nobody chooses; `DECON_PROJECTS_DIR` overrides it. */
function usualFolder(): string {
  const chosen = process.env['DECON_PROJECTS_DIR'];
  if (chosen !== undefined) return chosen;
  const documents = join(homedir(), 'Documents');
  return existsSync(documents) ? join(documents, 'DeCon Studio') : join(homedir(), 'DeCon Studio');
}

function freeFolder(parent: string, name: string): string {
  for (let i = 1; ; i++) {
    const dir = join(parent, `${i === 1 ? name : `${name} ${i}`}.decon`);
    if (!existsSync(dir)) return dir;
  }
}

/** @throws AppError `project.bad-name` */
function fileName(name: string): string {
  const trimmed = name.trim().replace(/\.decon$/i, '');
  if (/^[\p{L}\p{N}][\p{L}\p{N} ._()-]{0,79}$/u.test(trimmed)) return trimmed;
  throw new AppError(
    'project.bad-name',
    `A project cannot be called "${name.slice(0, 40)}". Use letters, digits, spaces, dots, dashes, underscores or round brackets; begin with a letter or digit.`,
  );
}
