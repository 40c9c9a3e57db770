import type { Inputs } from '../../contract/use.ts';
import { fileKey, imageMapKey } from '../../inference/class-map.ts';
import { findInputs } from '../../inference/find-inputs.ts';
import type { InputFile } from '../../inference/output-names.ts';
import type { PreviewJobOptions, PredictJobOptions } from '../../jobs/job-options.ts';
import { detach } from '../../lib/detach.ts';
import { AppError, messageOf } from '../../lib/errors.ts';
import type { Project } from '../../project/project.ts';
import type { Split } from '../../project/values.ts';
import { requireImage } from '../services/images.ts';
import type { Places } from '../places.ts';
import { withTilde } from '../places.ts';

const mostProblems = 200;

/** An image to predict, without the state of its prediction. */
export interface ListedInput {
  readonly inputId: string;
  readonly name: string;
  readonly relPath: string;
  readonly imageId: string | null;
  /** In the cache of predictions; undefined when the file is gone. */
  readonly key: string | undefined;
}

type Chosen =
  | { readonly source: 'none' }
  | {
      readonly source: 'places';
      readonly paths: readonly string[];
      files: readonly InputFile[];
      problems: Inputs['problems'];
      isLooking: boolean;
      /** Cache keys of the files, once someone asked for them. */
      keys: ReadonlyMap<string, InputFile> | undefined;
      readonly abort: AbortController;
    }
  | { readonly source: 'project'; readonly split: Split | null };

/** What the user chose to predict: one choice at a time, the same for every window. */
export class ChosenInputs {
  readonly #places: Places;
  readonly #changed: () => void;
  #chosen: Chosen = { source: 'none' };

  constructor(places: Places, changed: () => void) {
    this.#places = places;
    this.#changed = changed;
  }

  chooseImages(split: Split | null): void {
    this.#forget();
    this.#chosen = { source: 'project', split };
    this.#changed();
  }

  /** Looks through the folders in the background. */
  choosePlaces(paths: readonly string[]): void {
    this.#forget();
    const chosen = {
      source: 'places' as const,
      paths,
      files: [],
      problems: [],
      isLooking: true,
      keys: undefined,
      abort: new AbortController(),
    };
    this.#chosen = chosen;
    detach(this.#look(chosen), 'use.inputs');
    this.#changed();
  }

  /** What was chosen, in words. */
  summary(project: Project): Omit<Inputs, 'items'> {
    const chosen = this.#chosen;
    switch (chosen.source) {
      case 'none':
        return { source: 'none', shown: '', total: 0, isLooking: false, problems: [] };
      case 'project': {
        const total = project.images.count(filterOf(chosen.split));
        const shown = chosen.split === null ? 'Images of the project' : splitWords[chosen.split];
        return { source: 'project', shown, total, isLooking: false, problems: [] };
      }
      case 'places': {
        const [first = '', ...others] = chosen.paths;
        const more = others.length === 0 ? '' : ` and ${others.length} more`;
        const { files, isLooking, problems } = chosen;
        const shown = `${withTilde(first)}${more}`;
        return { source: 'places', shown, total: files.length, isLooking, problems };
      }
    }
  }

  page(project: Project, offset: number, limit: number): ListedInput[] {
    const chosen = this.#chosen;
    switch (chosen.source) {
      case 'none':
        return [];
      case 'project':
        return project.images.list({ ...filterOf(chosen.split), offset, limit }).map((image) => ({
          inputId: `image.${image.id}`,
          name: nameOf(image.relPath),
          relPath: image.relPath,
          imageId: image.id,
          key: imageMapKey(image),
        }));
      case 'places':
        return chosen.files.slice(offset, offset + limit).map((file) => this.#listed(file));
    }
  }

  /** The chosen inputs that a cache key belongs to. */
  byKey(project: Project, key: string): ListedInput | undefined {
    const chosen = this.#chosen;
    if (chosen.source === 'project') {
      const image = project.images.findByHash(key);
      const isChosen = image !== undefined && (chosen.split ?? image.split) === image.split;
      if (!isChosen) return undefined;
      const { id, relPath } = image;
      return { inputId: `image.${id}`, name: nameOf(relPath), relPath, imageId: id, key };
    }
    if (chosen.source === 'none') return undefined;
    chosen.keys ??= new Map(chosen.files.map((file) => [fileKey(file.path) ?? '', file]));
    const file = chosen.keys.get(key);
    return file === undefined ? undefined : this.#listed(file);
  }

  /** For a job that predicts all of them. @throws AppError `predict.no-pictures` */
  forJob(): PredictJobOptions['inputs'] {
    const chosen = this.#chosen;
    if (chosen.source === 'project') return { split: chosen.split };
    if (chosen.source === 'places') return [...chosen.paths];
    throw new AppError('predict.no-pictures', 'Choose images or a folder first.');
  }

  /** All of them, with their path below the folder that was chosen. */
  files(project: Project): readonly InputFile[] {
    const chosen = this.#chosen;
    if (chosen.source === 'places') return chosen.files;
    if (chosen.source === 'none') return [];
    // Names only matter here, so the folder of each image is not looked up.
    return project.images
      .list(filterOf(chosen.split))
      .map(({ relPath }) => ({ path: relPath, relPath }));
  }

  dispose(): void {
    this.#forget();
  }

  #listed(file: InputFile): ListedInput {
    return {
      inputId: `file.${this.#places.add(file.path).placeId}`,
      name: nameOf(file.relPath),
      relPath: file.relPath,
      imageId: null,
      key: fileKey(file.path),
    };
  }

  async #look(chosen: Extract<Chosen, { source: 'places' }>): Promise<void> {
    try {
      const { files, problems } = await findInputs(chosen.paths, { signal: chosen.abort.signal });
      chosen.files = files;
      chosen.problems = problems
        .slice(0, mostProblems)
        .map(({ input, message }) => ({ path: input, message }));
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      chosen.problems = [{ path: withTilde(chosen.paths[0] ?? ''), message: messageOf(error) }];
    } finally {
      chosen.isLooking = false;
      this.#changed();
    }
  }

  #forget(): void {
    if (this.#chosen.source === 'places') this.#chosen.abort.abort();
    this.#chosen = { source: 'none' };
  }
}

/** An input by its id, as a job takes it, and its key in the cache. */
export function findInput(
  project: Project,
  places: Places,
  inputId: string,
): { readonly image: PreviewJobOptions['images'][number]; readonly key: string } {
  const id = inputId.slice(inputId.indexOf('.') + 1);
  if (inputId.startsWith('image.')) {
    const image = requireImage(project, id);
    return { image: { type: 'image', imageId: id }, key: imageMapKey(image) };
  }
  const path = places.pathOf(id);
  const key = fileKey(path);
  if (key !== undefined) return { image: { type: 'file', path }, key };
  throw new AppError(
    'predict.gone',
    `${withTilde(path)} is not there any more. Choose the images again.`,
  );
}

function filterOf(split: Split | null) {
  return { status: 'usable' as const, ...(split === null ? {} : { split }) };
}

function nameOf(relPath: string): string {
  return relPath.slice(relPath.lastIndexOf('/') + 1);
}

const splitWords: Readonly<Record<Split, string>> = {
  train: 'Training images of the project',
  val: 'Validation images of the project',
  test: 'Test images of the project',
  unlabelled: 'Unlabelled images of the project',
};
