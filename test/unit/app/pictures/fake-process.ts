/** A picture process that does what the path of a task says; for tests of the client. */
import { setTimeout as wait } from 'node:timers/promises';
import { parseToPictures, type FromPictures } from '../../../../src-main/app/pictures/messages.ts';

const order: string[] = [];

process.on('message', (raw) => {
  const message = parseToPictures(raw);
  if (message.type === 'cancel') return void order.push('cancelled');
  const { input, number } = message;
  const path =
    typeof input === 'object' && input !== null && 'path' in input ? String(input.path) : '';
  order.push(path);
  void answer(path, number);
});

async function answer(path: string, number: number): Promise<void> {
  if (path === 'crash') process.exit(3);
  if (path === 'refuse') {
    return send({ type: 'failed', number, error: { code: 'images.missing', message: 'Gone.' } });
  }
  await wait(path.startsWith('slow') ? 200 : 5);
  const bytes = new TextEncoder().encode(path === 'order' ? order.join(' ') : path);
  send({ type: 'made', number, picture: { type: 'image/png', bytes } });
}

function send(message: FromPictures): void {
  process.send?.(message);
}
