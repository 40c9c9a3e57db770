import { client } from '../client/client.ts';
import { plural } from '../format.ts';
import { attempt } from './attempt.ts';
import { confirmDialog } from './confirm.svelte.ts';
import { live } from './live.svelte.ts';
import { navigation } from './navigation.svelte.ts';
import { pickPlaces } from './picker.svelte.ts';

/** Making and opening projects, from the start page, the palette and the menu bar. */
class ProjectActions {
  /** The dialog for a new project. */
  isAskingNew = $state(false);
  /** What is being done; its button shows it. */
  working: 'demo' | 'new' | 'open' | undefined = $state();

  askNew(): void {
    this.isAskingNew = true;
  }

  /** @returns whether there is one now */
  create(name: string, inPlaceId: string | undefined): Promise<boolean> {
    return this.#enter('new', () =>
      client.projects.create({ name, ...(inPlaceId === undefined ? {} : { inPlaceId }) }),
    );
  }

  createDemo(): Promise<boolean> {
    return this.#enter('demo', () => client.projects.createDemo());
  }

  async choose(): Promise<void> {
    const [place] = (await pickPlaces({ purpose: 'project', kind: 'folder' })) ?? [];
    if (place !== undefined) await this.open(place.placeId);
  }

  open(placeId: string): Promise<boolean> {
    return this.#enter('open', () => client.projects.open({ placeId }));
  }

  async #enter(what: 'demo' | 'new' | 'open', work: () => Promise<unknown>): Promise<boolean> {
    if (this.working !== undefined || !(await mayLeave())) return false;
    this.working = what;
    const project = await attempt(work);
    this.working = undefined;
    if (project === undefined) return false;
    this.isAskingNew = false;
    navigation.go('images');
    return true;
  }
}

export const projectActions = new ProjectActions();

/** The jobs of a project pause when another one is opened. */
function mayLeave(): Promise<boolean> {
  const count = live.open.length;
  if (count === 0) return Promise.resolve(true);
  return confirmDialog({
    title: 'Leave this project?',
    text: `${plural(count, 'job is', 'jobs are')} still working here. Trainings pause and can be continued later; other jobs end.`,
    confirm: 'Pause and leave',
  });
}
