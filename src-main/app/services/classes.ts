import type { LabelClass } from '../../contract/classes.ts';
import { addClass, changeClass, classUses, removeClass } from '../../datasets/class-edit.ts';
import { defined } from '../../lib/errors.ts';
import type { Project } from '../../project/project.ts';
import type { Workspace } from '../workspace.ts';
import { implementation } from './base.ts';

export function classesService(workspace: Workspace) {
  const procedures = implementation.classes;
  const changed = (value: number): LabelClass => {
    workspace.changes.touch('labels', 'project');
    const found = describeClasses(workspace.project).find((entry) => entry.value === value);
    return defined(found, 'changed class');
  };
  return {
    list: procedures.list.handler(() => describeClasses(workspace.project)),
    add: procedures.add.handler(({ input }) =>
      changed(addClass(workspace.project, input).labelValue),
    ),
    change: procedures.change.handler(({ input: { value, key, ...change } }) => {
      const digit = key === undefined ? {} : { digit: key };
      return changed(changeClass(workspace.project, value, { ...change, ...digit }).labelValue);
    }),
    remove: procedures.remove.handler(({ input }) => {
      removeClass(workspace.project, input.value);
      workspace.changes.touch('labels', 'project');
    }),
  };
}

/** The classes of the project and how much is labelled with each. */
export function describeClasses(project: Project): LabelClass[] {
  const uses = classUses(project);
  const total = [...uses.values()].reduce((sum, { pixels }) => sum + pixels, 0);
  return project.classes.list().map(({ labelValue, digit, ...row }) => {
    const { pixels, images } = uses.get(labelValue) ?? { pixels: 0, images: 0 };
    const share = total === 0 ? 0 : pixels / total;
    return { ...row, value: labelValue, key: digit, pixels, images, share };
  });
}
