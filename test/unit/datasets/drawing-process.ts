/** Draws strokes in pieces until it is killed, and tells of every piece that was stored. */
import { LabelStore } from '../../../src-main/datasets/label-store.ts';
import { encodeRuns, notLabelled } from '../../../src-main/lib/label-runs.ts';
import { openProject } from '../../../src-main/project/project.ts';

const [dir = '', imageId = ''] = process.argv.slice(2);
const project = openProject(dir);
const store = new LabelStore(project);
const pixels = new Uint8Array(256 * 256).fill(notLabelled);
const piecesPerStroke = 7;

for (let piece = 0; ; piece++) {
  pixels[piece * 2] = 1;
  await store.commit(imageId, {
    tool: 'brush',
    strokeId: `stroke-${Math.floor(piece / piecesPerStroke)}`,
    isFinal: piece % piecesPerStroke === piecesPerStroke - 1,
    tiles: [{ x: 3, y: 2, runs: encodeRuns(pixels) }],
  });
  process.send?.(piece + 1);
}
