import type { OpenProject, StepState } from '../contract/projects.ts';
import { isOpen } from '../jobs/states.ts';
import type { JobType } from '../project/jobs.ts';
import { withTilde } from './places.ts';
import type { OpenedProject } from './workspace.ts';

/** The open project with the state of its five steps. */
export function projectState({ project, queue }: OpenedProject): OpenProject {
  const images = project.imagePages.count({ status: 'usable' });
  const labelled = project.imagePages.count({ status: 'usable', label: 'labelled' });
  const runs = project.runs.list();
  const pretrainings = runs.filter(({ kind }) => kind === 'pretrain');
  const models = runs.filter(({ kind, result }) => kind === 'finetune' && result !== null);
  const open = queue.shown().filter(isOpen);
  const works = (...types: readonly JobType[]): boolean =>
    open.some(({ type }) => types.includes(type));
  const isEmpty = images === 0;
  const step = (facts: {
    readonly locked?: string;
    readonly running: boolean;
    readonly done: boolean;
  }): StepState => {
    if (facts.running) return { state: 'running', reason: '' };
    if (facts.locked !== undefined) return { state: 'locked', reason: facts.locked };
    return { state: facts.done ? 'done' : 'empty', reason: '' };
  };
  const needsImages = isEmpty ? { locked: 'Add images first.' } : {};
  return {
    id: project.id,
    name: project.name,
    shown: withTilde(project.dir),
    steps: {
      images: step({ running: works('import'), done: !isEmpty }),
      pretrain: step({
        ...needsImages,
        running: works('pretrain'),
        done: pretrainings.some(({ status }) => status === 'done'),
      }),
      label: step({ ...needsImages, running: works('suggest', 'propose'), done: labelled > 0 }),
      study: step({
        ...(isEmpty
          ? needsImages
          : labelled < 3
            ? { locked: 'Label at least three images first.' }
            : {}),
        running: works('study', 'finetune'),
        done: models.length > 0,
      }),
      use: step({
        ...(models.length === 0 ? { locked: 'Train a model in Study first.' } : {}),
        running: works('predict'),
        done: false,
      }),
    },
    counts: {
      images,
      labelled,
      classes: project.classes.list().length,
      pretrainings: pretrainings.length,
      models: models.length,
    },
  };
}
