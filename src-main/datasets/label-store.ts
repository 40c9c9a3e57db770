import { AppError, defined } from '../lib/errors.ts';
import { notLabelled, replaceInRuns, runsOver, uniformRuns } from '../lib/label-runs.ts';
import type { LabelRow, NewLabelEdit, StoredTile } from '../project/labels.ts';
import type { Project } from '../project/project.ts';
import { readMaskTiles } from './label-base.ts';
import { LabelChange, notLabelledPixels, putPaintedMask } from './label-change.ts';
import { everyTile, newLabel, requireLabelImage } from './label-image.ts';
import { assignSplitTo } from './label-splits.ts';
import { readMaskMapping } from './stored-settings.ts';

/** A piece of a stroke, or a whole one. */
export interface StrokePiece {
  readonly tool: string;
  /** Pieces of one stroke are one step of undo. */
  readonly strokeId: string;
  readonly isFinal: boolean;
  /** The new content of tiles. */
  readonly tiles: readonly StoredTile[];
}

export interface ChangedLabel {
  readonly label: LabelRow;
  readonly changed: readonly StoredTile[];
}

interface ImportedMask {
  /** Changes with the file and with what its values mean. */
  readonly key: string;
  readonly tiles: Promise<readonly StoredTile[]>;
}

/** Imported masks that were just looked at and stay in memory. */
const keptMasks = 4;

/**
 * Reads and changes the labels of a project. Every change is one durable transaction that keeps
 * tiles, journal, sums, and the mask that training sees in step. See docs/dev/labels.md.
 */
export class LabelStore {
  readonly #project: Project;
  readonly #importedMasks = new Map<string, ImportedMask>();

  constructor(project: Project) {
    this.#project = project;
  }

  /**
   * Tiles of the label; of an imported mask as long as nobody has changed it.
   * @throws AppError `masks.*`, `labels.*`
   */
  async tiles(
    imageId: string,
    places: readonly { readonly x: number; readonly y: number }[],
  ): Promise<StoredTile[]> {
    const image = requireLabelImage(this.#project, imageId);
    const empty = new LabelChange(this.#project, newLabel(image));
    const imported = new Map(
      (await this.#importedTiles(imageId)).map(({ x, y, runs }) => [`${x} ${y}`, runs]),
    );
    return places.map(({ x, y }) => {
      const pixels = empty.pixelsOf(x, y);
      const runs = this.#project.labels.tile(imageId, x, y) ?? imported.get(`${x} ${y}`);
      return { x, y, runs: runs ?? uniformRuns(notLabelled, pixels) };
    });
  }

  /** Stores a piece of a stroke. What could be redone is dropped. @throws AppError `labels.*` */
  commit(imageId: string, piece: StrokePiece): Promise<LabelRow> {
    const edit = { kind: 'stroke', madeBy: 'person', runId: null, ...piece } as const;
    return this.#edit(imageId, edit, () => piece.tiles).then(({ label }) => label);
  }

  /** Gives everything that is not labelled to a class. */
  fillRest(imageId: string, value: number, strokeId: string): Promise<ChangedLabel> {
    const edit = {
      kind: 'fill',
      tool: 'fill-rest',
      madeBy: 'person',
      runId: null,
      isFinal: true,
      strokeId,
    } as const;
    return this.#edit(imageId, edit, (change) => {
      return everyTile(change.label).flatMap(({ x, y }) => {
        const runs = change.tile(x, y);
        const fill = (known: number) => (known === notLabelled ? value : known);
        return {
          x,
          y,
          runs:
            runs === undefined
              ? uniformRuns(value, change.pixelsOf(x, y))
              : replaceInRuns(runs, fill),
        };
      });
    });
  }

  /**
   * Makes the waiting proposal the label; `keepPainted` leaves what is labelled already.
   * @throws AppError `labels.no-proposal`
   */
  acceptProposal(imageId: string, keepPainted: boolean, strokeId: string): Promise<ChangedLabel> {
    const { labelProposals } = this.#project;
    const proposal = labelProposals.get(imageId);
    if (proposal?.state !== 'waiting') throw noProposal();
    const edit = {
      kind: 'proposal',
      tool: 'proposal',
      madeBy: 'model',
      runId: proposal.runId,
      isFinal: true,
      strokeId,
    } as const;
    return this.#edit(imageId, edit, (change) => {
      const tiles = labelProposals.tiles(imageId);
      labelProposals.decide(imageId, 'accepted');
      return tiles.map(({ x, y, ...tile }) => {
        const runs = change.withoutRemoved(tile.runs);
        const painted = keepPainted ? change.tile(x, y) : undefined;
        if (painted === undefined) return { x, y, runs };
        return { x, y, runs: runsOver(painted, runs, change.pixelsOf(x, y)) };
      });
    });
  }

  /** Takes the last applied edit back. @throws AppError `labels.nothing-to-undo` */
  undo(imageId: string): ChangedLabel {
    return this.#project.durably(() => {
      const { change, label } = this.#stored(imageId);
      const edit = this.#project.labels.edit(imageId, label.position);
      if (edit === undefined) throw nothingTo('undo');
      this.#project.labels.finishEdit(edit.id);
      for (const { x, y, before } of this.#project.labels.editTiles(edit.id)) {
        change.restore(x, y, before);
      }
      return { label: change.finish({ position: label.position - 1 }), changed: change.changed };
    });
  }

  /** Applies the edit that was taken back last. @throws AppError `labels.nothing-to-redo` */
  redo(imageId: string): ChangedLabel {
    return this.#project.durably(() => {
      const { change, label } = this.#stored(imageId);
      const edit = this.#project.labels.edit(imageId, label.position + 1);
      if (edit === undefined) throw nothingTo('redo');
      for (const { x, y, after } of this.#project.labels.editTiles(edit.id)) {
        change.restore(x, y, after);
      }
      return { label: change.finish({ position: label.position + 1 }), changed: change.changed };
    });
  }

  /**
   * `done`: a person says that the label is right; it becomes the image's mask, and the image gets
   * its part. `started`: it is no longer used for training.
   * @throws AppError `labels.empty`
   */
  async setState(imageId: string, state: 'started' | 'done'): Promise<void> {
    const project = this.#project;
    requireLabelImage(project, imageId);
    const imported = await this.#importedTiles(imageId);
    if (imported.length > 0 && state === 'done') return;
    project.durably(() => {
      const label = this.#begin(imageId, imported).finish({});
      if (state === 'started') {
        project.labels.put({ ...label, state, confirmedAt: null });
        project.masks.remove(imageId);
        return;
      }
      if (notLabelledPixels(label) === label.widthPx * label.heightPx) throw nothingLabelled();
      const done = { ...label, state, confirmedAt: Date.now() };
      project.labels.put(done);
      putPaintedMask(project, done);
      assignSplitTo(project, imageId);
    });
  }

  /** One edit, or one more piece of the stroke that is being drawn. */
  async #edit(
    imageId: string,
    edit: Omit<NewLabelEdit, 'imageId' | 'sequence' | 'isFinal'> & { readonly isFinal: boolean },
    tilesOf: (change: LabelChange) => readonly StoredTile[],
  ): Promise<ChangedLabel> {
    const imported = await this.#importedTiles(imageId);
    const { labels } = this.#project;
    return this.#project.durably(() => {
      const change = this.#begin(imageId, imported);
      const { position } = change.label;
      const last = labels.edit(imageId, position);
      const isContinued = last?.strokeId === edit.strokeId;
      let editId = isContinued ? last.id : undefined;
      for (const { x, y, runs } of tilesOf(change)) {
        const old = change.set(x, y, runs);
        if (old === undefined) continue;
        editId ??= this.#addEdit(imageId, position, edit);
        labels.putEditTile(editId, { x, y, before: old.before, after: runs });
      }
      if (isContinued && edit.isFinal) labels.finishEdit(last.id);
      if (isContinued && change.changed.length > 0) labels.removeEditsAfter(imageId, position);
      const isNew = editId !== undefined && !isContinued;
      const label = change.finish({
        position: isNew ? position + 1 : position,
        ...(edit.kind === 'proposal' && position === 0 ? { source: 'proposal' as const } : {}),
      });
      return { label, changed: change.changed };
    });
  }

  #addEdit(
    imageId: string,
    position: number,
    edit: Omit<NewLabelEdit, 'imageId' | 'sequence' | 'isFinal'> & { readonly isFinal: boolean },
  ): number {
    const { labels } = this.#project;
    labels.removeEditsAfter(imageId, position);
    const { kind, tool, strokeId, madeBy, runId } = edit;
    const sequence = position + 1;
    const isFinal = Number(edit.isFinal);
    labels.addEdit({ imageId, sequence, kind, tool, strokeId, isFinal, madeBy, runId });
    return defined(labels.edit(imageId, sequence), 'label edit').id;
  }

  /** The label to change; at the first change it takes over the imported mask. */
  #begin(imageId: string, imported: readonly StoredTile[]): LabelChange {
    const { labels } = this.#project;
    const image = requireLabelImage(this.#project, imageId);
    const label = labels.get(imageId);
    if (label !== undefined) return new LabelChange(this.#project, label);
    const isImported = imported.length > 0;
    const fresh: LabelRow = {
      ...newLabel(image),
      ...(isImported ? { source: 'mask', state: 'done', confirmedAt: Date.now() } : {}),
    };
    labels.put(fresh);
    const change = new LabelChange(this.#project, fresh);
    for (const { x, y, runs } of imported) change.set(x, y, runs);
    return new LabelChange(this.#project, change.finish({}));
  }

  #stored(imageId: string): { readonly change: LabelChange; readonly label: LabelRow } {
    requireLabelImage(this.#project, imageId);
    const label = this.#project.labels.get(imageId);
    if (label === undefined) throw nothingTo('undo');
    return { change: new LabelChange(this.#project, label), label };
  }

  /** The tiles of an imported mask that nobody has changed here; none for other images. */
  #importedTiles(imageId: string): Promise<readonly StoredTile[]> {
    const mask = this.#project.masks.get(imageId);
    const isImported = mask !== undefined && mask.format !== 'painted';
    if (!isImported || this.#project.labels.get(imageId) !== undefined) {
      this.#importedMasks.delete(imageId);
      return Promise.resolve([]);
    }
    const key = JSON.stringify([mask.path, mask.details, readMaskMapping(this.#project)]);
    const known = this.#importedMasks.get(imageId);
    if (known?.key === key) return known.tiles;
    const tiles = readMaskTiles(this.#project, imageId);
    this.#importedMasks.set(imageId, { key, tiles });
    tiles.catch(() => this.#importedMasks.delete(imageId)); // asked again next time
    const [oldest] = this.#importedMasks.keys();
    if (this.#importedMasks.size > keptMasks && oldest !== undefined) {
      this.#importedMasks.delete(oldest);
    }
    return tiles;
  }
}

function nothingTo(what: 'undo' | 'redo'): AppError {
  return new AppError(`labels.nothing-to-${what}`, `There is nothing to ${what} in this image.`);
}

function nothingLabelled(): AppError {
  return new AppError(
    'labels.empty',
    'Nothing is labelled in this image yet. Paint at least one class, then mark it as done.',
  );
}

function noProposal(): AppError {
  return new AppError(
    'labels.no-proposal',
    'There is no proposal for this image any more. Ask a model for a new one.',
  );
}
