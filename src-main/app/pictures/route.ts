import { createHash } from 'node:crypto';
import * as v from 'valibot';
import { AppError, CancelledError } from '../../lib/errors.ts';
import { log, stackOf } from '../../lib/log.ts';
import type { Workspace } from '../workspace.ts';
import type { PictureKind } from './kind.ts';
import { kinds } from './kinds.ts';
import type { PictureType } from './messages.ts';

/** A picture as it leaves main, for the `image:` protocol and for `/image/` alike. */
export interface PictureReply {
  /** 503: given up because newer ones came; ask again if it is still wanted. */
  readonly status: 200 | 400 | 404 | 500 | 503;
  readonly type: PictureType | 'text/plain; charset=utf-8';
  readonly body: Uint8Array;
  /** How long the window may keep it; pictures whose address names their content: for good. */
  readonly cacheControl: string;
  /** Names the content, for the others. */
  readonly etag: string | undefined;
}

const idSchema = v.pipe(v.string(), v.regex(/^[A-Za-z0-9._-]{1,80}$/));
const versionSchema = v.optional(v.pipe(v.string(), v.regex(/^[A-Za-z0-9]{1,64}$/)));
const registered: ReadonlyMap<string, PictureKind> = new Map(Object.entries(kinds));

/**
 * The picture at an address: `image://KIND/ID...?NAME=VALUE` or `/image/KIND/ID...?NAME=VALUE`.
 * Ids are looked up, parameters checked; an address never names a file. `v` in an address says
 * which version of the content is meant, and such a picture may be kept.
 */
export async function pictureReply(
  workspace: Workspace,
  url: URL,
  signal: AbortSignal,
): Promise<PictureReply> {
  const [name = '', ...ids] = partsOf(url);
  const kind = registered.get(name);
  if (kind === undefined) return refusal(404, 'There is no such kind of picture.');
  const { v: version, ...given } = Object.fromEntries(url.searchParams);
  const parameters = v.safeParse(kind.parameters, given);
  const areIdsValid = ids.length === kind.ids.length && ids.every((id) => v.is(idSchema, id));
  if (!areIdsValid || !parameters.success || !v.is(versionSchema, version)) {
    return refusal(400, 'This is not the address of a picture.');
  }
  try {
    const { type, bytes } = await kind.make(workspace, ids, parameters.output, signal);
    const isNamed = version !== undefined;
    return {
      status: 200,
      type,
      body: bytes,
      cacheControl: isNamed ? 'private, max-age=31536000, immutable' : 'private, no-cache',
      etag: isNamed ? undefined : etagOf(bytes),
    };
  } catch (error) {
    if (error instanceof CancelledError) return refusal(503, 'Newer pictures came first.');
    if (error instanceof AppError) return refusal(statusOf(error.code), error.message);
    log('error', 'pictures', stackOf(error));
    return refusal(500, 'This picture could not be made; the log has the details.');
  }
}

/** The kind and the ids. In `image://KIND/ID` the kind is the host. */
function partsOf(url: URL): readonly string[] {
  const path = url.protocol === 'image:' ? `${url.host}${url.pathname}` : url.pathname;
  const parts = path.split('/').filter((part) => part !== '');
  return url.protocol === 'image:' ? parts : parts.slice(1);
}

function statusOf(code: string): 404 | 500 {
  return code.endsWith('.unknown') || code.endsWith('.missing') || code === 'project.none-open'
    ? 404
    : 500;
}

function refusal(status: PictureReply['status'], reason: string): PictureReply {
  return {
    status,
    type: 'text/plain; charset=utf-8',
    body: new TextEncoder().encode(reason),
    cacheControl: 'no-store',
    etag: undefined,
  };
}

function etagOf(bytes: Uint8Array): string {
  return `"${createHash('sha256').update(bytes).digest('base64url').slice(0, 22)}"`;
}
