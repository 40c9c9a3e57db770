import { readdirSync, statSync, type Dirent, type Stats } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Listing, PickPurpose } from '../../contract/host.ts';
import type { Place } from '../../contract/values.ts';
import { AppError } from '../../lib/errors.ts';
import { log } from '../../lib/log.ts';
import { appVersion } from '../../lib/version.ts';
import { withTilde, type Places } from '../places.ts';
import type { Workspace } from '../workspace.ts';
import { implementation } from './base.ts';

const maxListed = 2000;
const shownFiles: Readonly<Record<PickPurpose, RegExp | undefined>> = {
  images: undefined,
  masks: /\.json$/i,
  project: undefined,
  output: undefined,
  input: /\.(jpe?g|png|tiff?|webp|gif)$/i,
  model: /\.onnx$/i,
  weights: /\.safetensors$/i,
};

export function hostService(workspace: Workspace) {
  const { host, places, userState } = workspace;
  return {
    about: implementation.host.about.handler(() => ({
      version: appVersion(),
      platform: platform(),
      host: host.kind,
      theme: userState.current.theme,
    })),
    pick: implementation.host.pick.handler(async ({ input }) => {
      const paths = await host.pick(input);
      return paths?.map((path) => places.add(path)) ?? null;
    }),
    list: implementation.host.list.handler(({ input }) => {
      const path = input.placeId === undefined ? homedir() : places.pathOf(input.placeId);
      return listFolder(places, path, shownFiles[input.purpose]);
    }),
    reveal: implementation.host.reveal.handler(({ input }) => ({
      done: host.reveal(places.pathOf(input.placeId)),
    })),
    commands: implementation.host.commands.handler(({ signal }) =>
      workspace.hostCommands.watch(signal),
    ),
    setTheme: implementation.host.setTheme.handler(({ input }) => {
      userState.change({ theme: input.theme });
      host.setTheme(input.theme);
    }),
    logFault: implementation.host.logFault.handler(({ input }) => {
      log('error', `window.${input.where}`, input.message);
    }),
  };
}

function platform(): 'linux' | 'darwin' | 'win32' {
  return process.platform === 'darwin' || process.platform === 'win32' ? process.platform : 'linux';
}

function listFolder(places: Places, path: string, fileNames: RegExp | undefined): Listing {
  const entries = entriesOf(path).filter(({ name }) => !name.startsWith('.'));
  const folders = entries.filter((entry) => isOf(path, entry, 'folder'));
  const files =
    fileNames === undefined
      ? []
      : entries.filter((entry) => fileNames.test(entry.name) && isOf(path, entry, 'file'));
  const shown = (all: readonly Dirent[]): Place[] =>
    firstByName(all.map(({ name }) => name)).map((name) => places.add(join(path, name)));
  return {
    place: places.add(path),
    parents: parentsOf(path).map((parent) => places.add(parent)),
    folders: shown(folders),
    files: shown(files),
    isCut: folders.length > maxListed || files.length > maxListed,
  };
}

/** The order of people is slow for very many names; it is only needed for those that are shown. */
function firstByName(names: readonly string[]): string[] {
  return names.toSorted().slice(0, maxListed).sort(byNumbers.compare);
}

const byNumbers = new Intl.Collator(undefined, { numeric: true });

function entriesOf(path: string) {
  try {
    return readdirSync(path, { withFileTypes: true });
  } catch (cause) {
    throw new AppError(
      'places.unreadable',
      `The folder ${withTilde(path)} cannot be opened. Check that it is there and that you may read it.`,
      { cause },
    );
  }
}

/** Links count as what they lead to; one that leads nowhere is neither. */
function isOf(folder: string, entry: Dirent, kind: 'folder' | 'file'): boolean {
  const facts = entry.isSymbolicLink() ? targetOf(join(folder, entry.name)) : entry;
  return (kind === 'folder' ? facts?.isDirectory() : facts?.isFile()) === true;
}

function targetOf(link: string): Stats | undefined {
  try {
    return statSync(link);
  } catch {
    return undefined;
  }
}

/** From the root down to the folder above. */
function parentsOf(path: string): string[] {
  const parent = dirname(path);
  return parent === path ? [] : [...parentsOf(parent), parent];
}
