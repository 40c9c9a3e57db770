import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/**
 * Settings of the GNU C library's allocator for a process that trains: everything comes from one heap
 * that is never given back to the system, in pages of 2 MB where the system has them. The blocks of a
 * step are then found where those of the last step lay, without a page fault, and its holes fit better
 * than in onnxruntime's own arena: a step is a tenth faster and needs a tenth less memory.
 */
const tunables = [
  ['mmap_threshold', 2 ** 33],
  ['trim_threshold', 2 ** 34],
  ['top_pad', 2 ** 26],
  ['arena_max', 1],
  ['hugetlb', 1],
]
  .map(([name, value]) => `glibc.malloc.${name}=${value}`)
  .join(':');

/**
 * What to add to the environment of a process that trains. Nothing where another allocator is at work
 * (other systems, Electron), or where someone has chosen settings himself. An older library leaves out
 * what it does not know, and another one all of it.
 */
export function keptHeapEnvironment(): Readonly<Record<string, string>> {
  const isGlibc = process.platform === 'linux' && !isElectron();
  const isChosen = process.env['GLIBC_TUNABLES'] !== undefined;
  return isGlibc && !isChosen ? { GLIBC_TUNABLES: tunables } : {};
}

/** Whether this process was started with such a heap. */
export function hasKeptHeap(): boolean {
  return process.env['GLIBC_TUNABLES'] === tunables && !isElectron();
}

function isElectron(): boolean {
  return process.versions['electron'] !== undefined;
}

/**
 * Lets go of what a piece of work has left behind in JavaScript's heap: after a large graph was written
 * more than 100 MB, which would otherwise stay through the steps that need most memory. Not in Electron,
 * where V8's flags are sealed after its start.
 */
export function collectGarbage(): void {
  if (isElectron()) return;
  setFlagsFromString('--expose-gc');
  runInNewContext("gc({ type: 'major', execution: 'sync', flavor: 'last-resort' })");
  setFlagsFromString('--no-expose-gc');
}
