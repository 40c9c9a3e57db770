/** A part of a file's path: a piece that may name a group, or (`where` null) what stands between. */
export interface NamePart {
  readonly text: string;
  readonly where: 'folder' | 'name' | null;
  /** Of the piece, from 0; folders and the name are counted apart. */
  readonly position: number;
}

/** A run of pieces, from the first to the last one. */
export interface PieceRange {
  readonly where: 'folder' | 'name';
  readonly from: number;
  readonly to: number;
}

/** What is in one place of many names. */
export interface PieceStatistics {
  readonly where: 'folder' | 'name';
  readonly position: number;
  /** Different values. */
  readonly values: number;
  /** Share of the names that have it. */
  readonly present: number;
  readonly examples: readonly string[];
}

/** Cuts a path into its folders, and the name before its last dot at `_`, `-`, `.` and spaces. */
export function partsOf(relPath: string): NamePart[] {
  const folders = relPath.split('/');
  const name = folders.pop() ?? '';
  const parts: NamePart[] = folders.flatMap((text, position): NamePart[] => [
    { text, where: 'folder', position },
    { text: '/', where: null, position: 0 },
  ]);
  const dot = name.lastIndexOf('.');
  let position = 0;
  for (const text of name.slice(0, Math.max(0, dot)).split(/([_. -]+)/)) {
    if (text === '') continue;
    const isPiece = !/^[_. -]/.test(text);
    parts.push({ text, where: isPiece ? 'name' : null, position: isPiece ? position++ : 0 });
  }
  if (dot >= 0) parts.push({ text: name.slice(dot), where: null, position: 0 });
  else parts.push({ text: name, where: null, position: 0 });
  return parts;
}

/** The regular expression whose first bracket is these pieces, as `decon import --group-by` takes it. */
export function patternOfPieces({ where, from, to }: PieceRange): string {
  if (where === 'folder') return `^(?:[^/]+/){${from}}([^/]+(?:/[^/]+){${to - from}})/`;
  const piece = '[^/_. -]+';
  const gap = '[_. -]+';
  return `^(?:.*/)?(?:${gap})?(?:${piece}${gap}){${from}}(${piece}(?:${gap}${piece}){${to - from}})(?=[_. -])`;
}

/** What stands in each place of the names; of no more than the first eight of each kind. */
export function pieceStatistics(relPaths: readonly string[]): PieceStatistics[] {
  const found = new Map<string, { piece: NamePart; count: number; values: Set<string> }>();
  for (const relPath of relPaths) {
    for (const piece of partsOf(relPath)) {
      if (piece.where === null || piece.position >= maxPieces) continue;
      const key = `${piece.where} ${piece.position}`;
      const entry = found.get(key) ?? { piece, count: 0, values: new Set() };
      entry.count++;
      entry.values.add(piece.text);
      found.set(key, entry);
    }
  }
  return [...found.values()]
    .map(({ piece, count, values }) => ({
      where: piece.where ?? 'name',
      position: piece.position,
      values: values.size,
      present: count / relPaths.length,
      examples: [...values].slice(0, 4),
    }))
    .sort((a, b) => a.where.localeCompare(b.where) || a.position - b.position);
}

/**
 * The piece that most likely names the patient, slide or site: nearly all names have it, several
 * share each value, and there are enough values to divide. Of several the first, which is the widest
 * group and therefore the safest.
 */
export function suggestPiece(
  statistics: readonly PieceStatistics[],
  names: number,
): PieceRange | null {
  const piece = statistics.find(
    ({ values, present }) => present >= 0.95 && values >= minGroups && values * 2 <= names,
  );
  if (piece === undefined) return null;
  return { where: piece.where, from: piece.position, to: piece.position };
}

const maxPieces = 8;
const minGroups = 5;
