/** Short words for why files are skipped, while the import runs; the list of problems says it fully. */
export function reasonOf(code: string): string {
  return reasons.get(code) ?? 'cannot be used';
}

const reasons: ReadonlyMap<string, string> = new Map([
  ['images.damaged', 'damaged or incomplete'],
  ['images.empty', 'empty'],
  ['images.unreadable', 'cannot be read'],
  ['images.missing', 'no longer there'],
  ['images.not-an-image', 'no picture inside'],
  ['images.foreign', 'of a format that cannot be read'],
  ['images.unsupported', 'with pixels that cannot be read'],
  ['images.too-small', 'too small'],
  ['images.too-large', 'too large'],
  ['images.changed', 'changed while they were read'],
]);
