import { bridge } from './bridge.ts';

export type PictureParameters = Readonly<Record<string, string | number | boolean | undefined>>;

/** The address of a picture, e.g. `pictureUrl('thumb', [imageId], { size: 160 })`. */
export function pictureUrl(
  kind: string,
  ids: readonly string[],
  parameters: PictureParameters = {},
): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters)) {
    if (value !== undefined) query.set(name, String(value));
  }
  const path = [kind, ...ids].map(encodeURIComponent).join('/');
  const text = query.size === 0 ? '' : `?${query.toString()}`;
  return bridge === undefined ? `/image/${path}${text}` : `image://${path}${text}`;
}
