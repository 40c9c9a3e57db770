import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';

/**
 * Whether something that was built is older than what it is built from, or not there. Folders count
 * with everything in them.
 */
export function isStale(built: string, sources: readonly string[]): boolean {
  const facts = statSync(built, { throwIfNoEntry: false });
  return facts === undefined || Math.max(...sources.map(newest)) > facts.mtimeMs;
}

/** When a file, or the newest file of a folder, was changed; 0 for what is not there. */
function newest(path: string): number {
  const facts = statSync(path, { throwIfNoEntry: false });
  if (facts === undefined) return 0;
  if (!facts.isDirectory()) return facts.mtimeMs;
  return Math.max(facts.mtimeMs, ...readdirSync(path).map((name) => newest(join(path, name))));
}
