import type { Workspace } from '../workspace.ts';

/** A picture as it leaves main, for the `image:` protocol and for `/image/` alike. */
export interface PictureReply {
  readonly status: 200 | 400 | 404 | 500;
  readonly type: 'image/png' | 'image/jpeg' | 'image/webp' | 'text/plain';
  readonly body: Uint8Array;
  /** How long the window may keep it; pictures whose address names their content: long. */
  readonly maxAgeSeconds: number;
}

/** What an address asks for: `image://KIND/ID/ID?NAME=VALUE`. */
export interface PictureAddress {
  readonly kind: string;
  readonly ids: readonly string[];
  readonly parameters: URLSearchParams;
}

/** Makes the pictures of one kind. @throws AppError for what does not exist or cannot be read */
export type PictureKind = (
  workspace: Workspace,
  address: PictureAddress,
  signal: AbortSignal,
) => Promise<Omit<PictureReply, 'status'>>;
