import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import * as v from 'valibot';
import { AppError, throwIfCancelled } from '../lib/errors.ts';
import { ByteBudget, forEachParallel } from '../lib/parallel.ts';
import type { FolderRow, ImageRow, NewImage } from '../project/images.ts';
import type { Project } from '../project/project.ts';
import {
  foreignError,
  hashFile,
  inspectHeader,
  inspectPixels,
  maxLoadedBytes,
  sniffFile,
} from './decode.ts';
import { shown } from './file-errors.ts';
import { FileLoader } from './file-loader.ts';
import { formatName, kindOfName } from './file-kind.ts';
import {
  decodingBytes,
  imageFactsSchema,
  noticesOf,
  uprightSize,
  type ImageFacts,
} from './image-facts.ts';
import type { ImportProblem, TaskControl } from './import-types.ts';
import type { FoundFile } from './walk.ts';

export interface PictureCounts {
  /** Files that are or claim to be pictures. */
  found: number;
  usable: number;
  skipped: number;
  unchanged: number;
  otherFiles: number;
}

export function noPictures(): PictureCounts {
  return { found: 0, usable: 0, skipped: 0, unchanged: 0, otherFiles: 0 };
}

const fileBytes = 200e6;
const decodedBytes = 350e6;
const rowsPerTransaction = 256;

/** Twice the cores: while some files are decoded, others are read and noted. */
export function filesAtOnce(): number {
  return 2 * availableParallelism();
}

export interface PictureTask {
  readonly project: Project;
  readonly folder: FolderRow;
  readonly files: readonly FoundFile[];
  /** Filled while files are read, so that a cancelled import knows what it has. */
  readonly counts: PictureCounts;
  readonly problems: ImportProblem[];
  readonly control: TaskControl;
}

/**
 * Reads every picture of a folder into the project. Files whose size and time are those of the last
 * import are not opened; pictures that are gone or unreadable now are set aside.
 */
export async function importPictures(wanted: PictureTask): Promise<void> {
  const { project, folder, files, control } = wanted;
  const task = {
    ...wanted,
    known: knownImages(project, folder),
    reasons: new Map<string, number>(),
    pending: [],
    fileBudget: new ByteBudget(fileBytes),
    decodingBudget: new ByteBudget(decodedBytes),
    loader: new FileLoader(),
  } satisfies Task;
  const started = performance.now();
  let done = 0;
  const look = async (file: FoundFile) => {
    await importFile(task, file);
    done++;
    if (task.pending.length >= rowsPerTransaction) store(task);
    control.onProgress?.({
      phase: 'Reading images',
      done,
      total: files.length,
      unit: 'file',
      imagesPerSecond: (done * 1000) / (performance.now() - started),
      values: {
        found: task.counts.found,
        usable: task.counts.usable,
        skipped: task.counts.skipped,
        ...Object.fromEntries(task.reasons),
      },
    });
  };
  try {
    await forEachParallel(files, filesAtOnce(), look, control.signal);
  } finally {
    store(task); // what was read before a cancel need not be read again
  }
  throwIfCancelled(control.signal);
  setMissingAside(task, new Set(files.map(({ relPath }) => relPath)));
}

/** Images of a project page by page, in path order, so that 100,000 of them do not fill memory. */
export function* eachImage(project: Project, status?: ImageRow['status']): Generator<ImageRow> {
  const limit = 5000;
  for (let offset = 0; ; offset += limit) {
    const page = project.images.list({
      ...(status === undefined ? {} : { status }),
      limit,
      offset,
    });
    yield* page;
    if (page.length < limit) return;
  }
}

type KnownImage = Pick<
  ImageRow,
  'id' | 'relPath' | 'bytes' | 'modifiedMs' | 'groupKey' | 'split' | 'status'
>;

interface Task extends PictureTask {
  readonly known: ReadonlyMap<string, KnownImage>;
  /** Files skipped so far by code, shown while the import runs. */
  readonly reasons: Map<string, number>;
  readonly pending: NewImage[];
  /** For the bytes of files in memory; always claimed before `decodingBudget`. */
  readonly fileBudget: ByteBudget;
  readonly decodingBudget: ByteBudget;
  readonly loader: FileLoader;
}

function knownImages(project: Project, folder: FolderRow): Map<string, KnownImage> {
  const known = new Map<string, KnownImage>();
  for (const image of eachImage(project)) {
    const { id, relPath, bytes, modifiedMs, groupKey, split, status } = image;
    if (image.folderId !== folder.id) continue;
    known.set(relPath, { id, relPath, bytes, modifiedMs, groupKey, split, status });
  }
  return known;
}

async function importFile(task: Task, file: FoundFile): Promise<void> {
  const path = join(task.folder.path, file.relPath);
  try {
    if (!(await isPicture(path, file))) {
      task.counts.otherFiles++;
      return;
    }
    task.counts.found++;
    const facts = await readUnlessKnown(task, file, path);
    task.counts.usable++;
    addNotices(task, file, facts);
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    task.counts.skipped++;
    task.reasons.set(error.code, (task.reasons.get(error.code) ?? 0) + 1);
    task.problems.push(skipped(file.relPath, error, path));
    setAside(task, file.relPath);
  }
}

/** Sentences name files as the user sees them: below the imported folder. */
function skipped(relPath: string, { code, message }: AppError, path: string): ImportProblem {
  return {
    path: relPath,
    code,
    message: message.replace(shown(path), shown(relPath)),
    effect: 'skipped',
  };
}

/** A file with the name of a picture, readable or not, or with the content of a readable one. */
async function isPicture(path: string, { relPath }: FoundFile): Promise<boolean> {
  if (kindOfName(relPath).type !== 'unknown') return true;
  const kind = await sniffFile(path).catch(() => undefined);
  return kind?.type === 'image';
}

async function readUnlessKnown(task: Task, file: FoundFile, path: string): Promise<ImageFacts> {
  const known = task.known.get(file.relPath);
  const isUnchanged = known?.bytes === file.bytes && known.modifiedMs === file.modifiedMs;
  if (known !== undefined && known.status !== 'skipped' && isUnchanged) {
    const row = task.project.images.get(known.id);
    task.counts.unchanged++;
    return v.parse(imageFactsSchema, row?.facts);
  }
  await refuseForeign(path);
  return task.fileBudget.run(Math.min(file.bytes, maxLoadedBytes), async () => {
    const loaded = await task.loader.load(path, file.bytes);
    const sha256 = await hashFile(loaded);
    const header = await inspectHeader(loaded);
    const facts = await task.decodingBudget.run(decodingBytes(header), () =>
      inspectPixels(loaded, header),
    );
    task.pending.push({
      ...(known === undefined ? {} : { id: known.id }),
      folderId: task.folder.id,
      relPath: file.relPath,
      bytes: file.bytes,
      modifiedMs: file.modifiedMs,
      sha256,
      format: facts.format,
      ...uprightSize(facts),
      channels: facts.channels,
      bitDepth: facts.bitDepth,
      pages: facts.pages,
      facts,
      groupKey: known?.groupKey ?? null,
      split: known?.split ?? null,
      status: 'usable',
      duplicateOf: null,
    });
    return facts;
  });
}

/** Large files of microscopes and scanners are told from their first bytes, not loaded. */
async function refuseForeign(path: string): Promise<void> {
  const named = kindOfName(path);
  if (named.type !== 'foreign') return;
  const kind = await sniffFile(path);
  if (kind.type !== 'image')
    throw foreignError(path, kind.type === 'foreign' ? kind.name : named.name);
}

function addNotices(task: Task, { relPath }: FoundFile, facts: ImageFacts): void {
  const named = kindOfName(relPath);
  const notices = [...noticesOf(relPath, facts)];
  const isMisnamed = named.type === 'image' && named.format !== facts.format;
  if (isMisnamed || named.type === 'foreign') {
    const claim = named.type === 'image' ? formatName(named.format) : named.name;
    const message = `${shown(relPath)} is named like ${claim} but is a ${formatName(facts.format)}; it is used as what it is.`;
    notices.push({ code: 'images.wrong-extension', message });
  }
  for (const notice of notices) {
    task.problems.push({ path: relPath, ...notice, effect: 'notice' });
  }
}

/** An image of an earlier import that cannot be used any more keeps its row, for the runs it is in. */
function setAside(task: Task, relPath: string): void {
  const known = task.known.get(relPath);
  const row = known === undefined ? undefined : task.project.images.get(known.id);
  if (row !== undefined) task.pending.push({ ...row, status: 'skipped', split: null });
}

function setMissingAside(task: Task, present: ReadonlySet<string>): void {
  for (const { relPath, status } of task.known.values()) {
    if (present.has(relPath) || status === 'skipped') continue;
    setAside(task, relPath);
    task.problems.push({
      path: relPath,
      code: 'images.missing',
      message: `${shown(relPath)} was imported before but is no longer there; it is set aside.`,
      effect: 'skipped',
    });
  }
  store(task);
}

function store(task: Task): void {
  task.project.images.upsertMany(task.pending);
  task.pending.length = 0;
}
