import { readAsset } from '../assets.ts';
import { pictureReply } from '../pictures/route.ts';
import { securityHeaders } from '../security.ts';
import type { Workspace } from '../workspace.ts';
import { appOrigin, isOwnPage } from './policy.ts';

/** Answers `app://studio/...` from the folder of the built window, and nothing else. */
export async function answerApp(request: Request, assets: string): Promise<Response> {
  if (request.method !== 'GET') return refusal(405);
  if (!isOwnPage(request.url)) return refusal(404);
  const asset = await readAsset(assets, new URL(request.url).pathname);
  if (asset === undefined) return refusal(404);
  return new Response(new Uint8Array(asset.body), {
    headers: {
      ...securityHeaders,
      'Content-Type': asset.type,
      'Cache-Control': asset.cacheControl,
    },
  });
}

/** Answers `image://KIND/ID...` with a picture that the database knows. */
export async function answerImage(request: Request, workspace: Workspace): Promise<Response> {
  if (request.method !== 'GET') return refusal(405);
  const { url, signal } = request;
  const { status, type, body, cacheControl } = await pictureReply(workspace, new URL(url), signal);
  return new Response(new Uint8Array(body), {
    status,
    headers: {
      ...securityHeaders,
      'Content-Type': type,
      'Cache-Control': cacheControl,
      // To the page a picture is of another origin; it must be able to draw it and read its pixels.
      'Access-Control-Allow-Origin': appOrigin,
      'Cross-Origin-Resource-Policy': 'cross-origin',
    },
  });
}

function refusal(status: number): Response {
  return new Response(null, { status, headers: securityHeaders });
}
