import { AppError, messageOf } from '../lib/errors.ts';

/** A file name for a sentence: line breaks and other control characters are made visible. */
export function shown(path: string): string {
  return path.replaceAll(/\p{Cc}/gu, (character) => {
    const known = visibleControls.get(character);
    return known ?? `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`;
  });
}

/** What the operating system said about a file, as a sentence. */
export function fileError(cause: unknown, path: string): AppError {
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : '';
  const known = systemErrors.get(code);
  if (known !== undefined) {
    return new AppError(known.code, `${shown(path)} ${known.text}`, { cause });
  }
  return new AppError(
    'images.unreadable',
    `${shown(path)} cannot be read (${messageOf(cause)}). Check the file and the disk.`,
    { cause },
  );
}

/** What the decoder said about a file, as a sentence. */
export function decodeError(cause: unknown, path: string): AppError {
  const detail = messageOf(cause).split('\n')[0]?.trim() ?? '';
  return new AppError(
    'images.damaged',
    `${shown(path)} is damaged or incomplete and cannot be decoded (${detail}). ` +
      'Copy it again from where it came from.',
    { cause },
  );
}

const visibleControls: ReadonlyMap<string, string> = new Map([
  ['\n', '\\n'],
  ['\r', '\\r'],
  ['\t', '\\t'],
]);

const denied = {
  code: 'images.unreadable',
  text: 'cannot be read because permission is missing. Ask its owner, or change its permissions.',
};

const systemErrors: ReadonlyMap<string, { readonly code: string; readonly text: string }> = new Map(
  [
    ['EACCES', denied],
    ['EPERM', denied],
    [
      'ENOENT',
      {
        code: 'images.missing',
        text: 'is not there, or is a link to something that is not there. Check the folder.',
      },
    ],
    [
      'ELOOP',
      { code: 'images.link-loop', text: 'is a link that leads back to itself. Remove the link.' },
    ],
  ],
);
