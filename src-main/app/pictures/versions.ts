import type { ImageRow } from '../../project/images.ts';

/** Changes with the pixels of an image; part of the addresses of its pictures. */
export function imageVersion({ sha256 }: Pick<ImageRow, 'sha256'>): string {
  return sha256.slice(0, 16);
}
