import type { IncomingMessage, ServerResponse } from 'node:http';
import { AppError } from '../../lib/errors.ts';
import { storeDropped } from '../dropped-files.ts';
import type { Workspace } from '../workspace.ts';
import { refuse } from './pages.ts';

/**
 * `POST /drop?drop=ID&name=FILE`: one dropped image as the body. Answers with the ids of the file and
 * of the folder that holds the images of this drop.
 */
export async function receiveDrop(
  workspace: Workspace,
  request: IncomingMessage,
  response: ServerResponse,
  parameters: URLSearchParams,
): Promise<void> {
  const bytes = Number(request.headers['content-length'] ?? NaN);
  const drop = parameters.get('drop') ?? '';
  if (!Number.isSafeInteger(bytes) || !/^[a-z0-9-]{8,40}$/.test(drop)) {
    return refuse(response, { status: 400, reason: 'This is not a dropped file.' });
  }
  const answer = (status: number, body: unknown): void => {
    response.writeHead(status, {
      'Content-Type': 'application/json',
      'Cache-Control': 'no-store',
      ...(status === 200 ? {} : { Connection: 'close' }),
    });
    response.end(JSON.stringify(body));
  };
  try {
    const name = parameters.get('name') ?? '';
    const stored = await storeDropped(workspace.project, { drop, name, bytes }, request);
    const { places } = workspace;
    answer(200, { file: places.add(stored.path), folder: places.add(stored.folder) });
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    answer(422, { code: error.code, message: error.message });
  }
}
