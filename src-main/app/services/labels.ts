import { randomUUID } from 'node:crypto';
import type {
  EditResult,
  LabelPosition,
  LabelSource,
  LabelState,
  LabelTile,
  ListedLabel,
  OpenLabel,
  ProposalFacts,
} from '../../contract/labels.ts';
import { notLabelledPixels } from '../../datasets/label-change.ts';
import { requireLabelImage } from '../../datasets/label-image.ts';
import { LabelStore, type ChangedLabel } from '../../datasets/label-store.ts';
import { nextSuggestion } from '../../datasets/label-spread.ts';
import { defined } from '../../lib/errors.ts';
import {
  notLabelled,
  runsFromText,
  runsToText,
  tileSize,
  uniformRuns,
} from '../../lib/label-runs.ts';
import type { ListedLabelRow } from '../../project/label-lists.ts';
import type { ProposalRow } from '../../project/label-proposals.ts';
import type { LabelRow, StoredTile } from '../../project/labels.ts';
import type { Project } from '../../project/project.ts';
import type { Workspace } from '../workspace.ts';
import { implementation } from './base.ts';
import { describeClasses } from './classes.ts';

/** More changed tiles than this travel without their pixels. */
const maxSentTiles = 64;
const targetShares = [0.05, 0.1, 0.25] as const;

export function labelsService(workspace: Workspace) {
  const procedures = implementation.labels;
  const stores = new WeakMap<Project, LabelStore>();
  const storeOf = (project: Project): LabelStore => {
    const store = stores.get(project) ?? new LabelStore(project);
    stores.set(project, store);
    return store;
  };
  const result = (project: Project, { label, changed }: ChangedLabel): EditResult => {
    workspace.changes.touch('labels');
    return { ...positionOf(project, label), changed: sentTiles(changed) };
  };
  return {
    open: procedures.open.handler(({ input }) => openLabel(workspace.project, input.imageId)),
    tiles: procedures.tiles.handler(async ({ input: { imageId, layer, tiles } }) => {
      const { project } = workspace;
      const found =
        layer === 'label'
          ? await storeOf(project).tiles(imageId, tiles)
          : proposalTiles(project, imageId, tiles);
      return found.map(asText);
    }),
    commit: procedures.commit.handler(async ({ input: { imageId, edit } }) => {
      const { project } = workspace;
      const tiles = edit.tiles.map(({ x, y, runs }) => ({ x, y, runs: runsFromText(runs) }));
      const label = await storeOf(project).commit(imageId, { ...edit, tiles });
      if (edit.isFinal) workspace.changes.touch('labels');
      return positionOf(project, label);
    }),
    undo: procedures.undo.handler(({ input }) => {
      const { project } = workspace;
      return result(project, storeOf(project).undo(input.imageId));
    }),
    redo: procedures.redo.handler(({ input }) => {
      const { project } = workspace;
      return result(project, storeOf(project).redo(input.imageId));
    }),
    fillRest: procedures.fillRest.handler(async ({ input: { imageId, value } }) => {
      const { project } = workspace;
      return result(project, await storeOf(project).fillRest(imageId, value, randomUUID()));
    }),
    setState: procedures.setState.handler(async ({ input: { imageId, state } }) => {
      const { project } = workspace;
      await storeOf(project).setState(imageId, state);
      workspace.changes.touch('labels', 'images', 'project');
      return openLabel(project, imageId);
    }),
    list: procedures.list.handler(({ input: { show, search, offset, limit } }) => {
      const { labelLists } = workspace.project;
      const rows = labelLists.page(show, { search, offset, limit });
      return {
        total: labelLists.count(show, search),
        items: rows.map((row) => listedOf(workspace.project, row)),
      };
    }),
    progress: procedures.progress.handler(() => progressOf(workspace.project)),
    next: procedures.next.handler(({ input }) => nextSuggestion(workspace.project, input) ?? null),
    suggest: procedures.suggest.handler(({ input }) => ({
      jobId: workspace.queue.add({ type: 'suggest', options: { ...input } }).id,
    })),
    propose: procedures.propose.handler(({ input }) => ({
      jobId: workspace.queue.add({ type: 'propose', options: { ...input } }).id,
    })),
    acceptProposal: procedures.acceptProposal.handler(async ({ input }) => {
      const { project } = workspace;
      const { imageId, keepPainted } = input;
      const changed = await storeOf(project).acceptProposal(imageId, keepPainted, randomUUID());
      return result(project, changed);
    }),
    rejectProposal: procedures.rejectProposal.handler(({ input }) => {
      workspace.project.labelProposals.decide(input.imageId, 'rejected');
      workspace.changes.touch('labels');
    }),
  };
}

function openLabel(project: Project, imageId: string): OpenLabel {
  const image = requireLabelImage(project, imageId);
  const label = project.labels.get(imageId);
  const mask = project.masks.get(imageId);
  const proposal = project.labelProposals.get(imageId);
  return {
    imageId,
    name: image.relPath,
    widthPx: image.widthPx,
    heightPx: image.heightPx,
    split: image.split,
    group: image.groupKey,
    source: sourceOf(label?.source ?? null, mask?.format ?? null),
    isConfirmed: label === undefined ? mask !== undefined : label.confirmedAt !== null,
    ...(label === undefined ? untouched(project, imageId) : positionOf(project, label)),
    classes: describeClasses(project),
    proposal: proposal === undefined ? null : proposalFacts(proposal),
    suggestion: project.labelSuggestions.get(imageId) ?? null,
  };
}

function positionOf(project: Project, label: LabelRow): LabelPosition {
  const { imageId, state, position, revision } = label;
  return {
    state,
    position,
    revision,
    canUndo: position > 0,
    canRedo: project.labels.lastSequence(imageId) > position,
    counts: countsOf(label.valuePixels),
    notLabelledPixels: notLabelledPixels(label),
  };
}

/** Of an image that nobody has edited: its imported mask, or nothing. */
function untouched(project: Project, imageId: string): LabelPosition {
  const { widthPx, heightPx } = defined(project.images.get(imageId), 'image');
  const mask = project.masks.get(imageId);
  const counts = project.classes.list().flatMap(({ labelValue, classIndex }) => {
    const pixels = mask?.classPixels[classIndex] ?? 0;
    return pixels === 0 ? [] : [{ value: labelValue, pixels }];
  });
  const state: LabelState = mask === undefined ? 'none' : 'done';
  return {
    state,
    position: 0,
    revision: 0,
    canUndo: false,
    canRedo: false,
    counts,
    notLabelledPixels: mask?.ignoredPixels ?? widthPx * heightPx,
  };
}

function countsOf(valuePixels: LabelRow['valuePixels']): LabelPosition['counts'] {
  return Object.entries(valuePixels).map(([value, pixels]) => ({ value: Number(value), pixels }));
}

function sourceOf(source: LabelRow['source'] | null, maskFormat: string | null): LabelSource {
  return source ?? (maskFormat === null ? 'empty' : 'mask');
}

function proposalFacts(row: ProposalRow): ProposalFacts {
  const { runId, modelName, state, confidence, createdAt, valuePixels } = row;
  return { runId, modelName, state, confidence, createdAt, counts: countsOf(valuePixels) };
}

function proposalTiles(
  project: Project,
  imageId: string,
  places: readonly { readonly x: number; readonly y: number }[],
): StoredTile[] {
  const image = requireLabelImage(project, imageId);
  return places.map(({ x, y }) => {
    const { widthPx, heightPx } = tileSize(image, x, y);
    const runs = project.labelProposals.tile(imageId, x, y);
    return { x, y, runs: runs ?? uniformRuns(notLabelled, widthPx * heightPx) };
  });
}

function sentTiles(changed: readonly StoredTile[]): EditResult['changed'] {
  if (changed.length <= maxSentTiles) return changed.map(asText);
  return changed.map(({ x, y }) => ({ x, y }));
}

function asText({ x, y, runs }: StoredTile): LabelTile {
  return { x, y, runs: runsToText(runs) };
}

function listedOf(project: Project, row: ListedLabelRow): ListedLabel {
  const { relPath, maskFormat, state, source, confirmedAt, ...facts } = row;
  return {
    ...facts,
    name: relPath,
    state: state ?? (maskFormat === null ? 'none' : 'done'),
    source: sourceOf(source, maskFormat),
    isConfirmed: state === null ? maskFormat !== null : confirmedAt !== null,
    suggestion: project.labelSuggestions.get(row.imageId) ?? null,
  };
}

function progressOf(project: Project) {
  const { labelLists } = project;
  const [images, done] = [labelLists.count('all', ''), labelLists.count('labelled', '')];
  const splits = labelLists.splitCounts();
  return {
    images,
    done,
    started: labelLists.count('started', ''),
    proposals: labelLists.count('proposals', ''),
    targets: targetShares.map((share) => {
      const wanted = Math.ceil(images * share);
      return { share, images: wanted, isReached: images > 0 && done >= wanted };
    }),
    splits: {
      train: splits.get('train') ?? 0,
      val: splits.get('val') ?? 0,
      test: splits.get('test') ?? 0,
    },
    suggested: project.labelSuggestions.count(),
  };
}
