import type { Project } from '../project/project.ts';
import { shown } from './file-errors.ts';
import { eachImage } from './import-pictures.ts';

/** Something that is in two parts of the split, so that scores look better than they are. */
export interface Leak {
  readonly type: 'group' | 'duplicate';
  /** The group, or the file of the duplicate. */
  readonly path: string;
  readonly splits: readonly string[];
  readonly message: string;
}

/**
 * Groups that were split and identical files in different parts. `unlabelled` images count as
 * training, because pre-training sees them.
 */
export function findLeaks(project: Project): Leak[] {
  const groups = new Map<string, Set<string>>();
  const duplicates: { readonly relPath: string; readonly split: string; readonly of: string }[] =
    [];
  const splitOf = new Map<string, string>();
  for (const { id, relPath, split, groupKey, status, duplicateOf } of eachImage(project)) {
    if (split === null || status === 'skipped') continue;
    const part = split === 'unlabelled' ? 'train' : split;
    splitOf.set(id, part);
    if (duplicateOf !== null) duplicates.push({ relPath, split: part, of: duplicateOf });
    if (groupKey === null) continue;
    const parts = groups.get(groupKey);
    if (parts === undefined) groups.set(groupKey, new Set([part]));
    else parts.add(part);
  }
  return [
    ...[...groups].flatMap(([group, parts]) => (parts.size > 1 ? [groupLeak(group, parts)] : [])),
    ...duplicates.flatMap(({ relPath, split, of }) => {
      const other = splitOf.get(of);
      return other === undefined || other === split ? [] : [duplicateLeak(relPath, split, other)];
    }),
  ];
}

function groupLeak(group: string, parts: ReadonlySet<string>): Leak {
  const splits = [...parts].sort();
  return {
    type: 'group',
    path: group,
    splits,
    message: `The group "${shown(group)}" is in ${splits.join(' and ')}; scores may look better than they are. Put it wholly into one part.`,
  };
}

function duplicateLeak(relPath: string, split: string, other: string): Leak {
  return {
    type: 'duplicate',
    path: relPath,
    splits: [split, other],
    message: `${shown(relPath)} is in ${split}, and the same file is in ${other}; scores may look better than they are.`,
  };
}
