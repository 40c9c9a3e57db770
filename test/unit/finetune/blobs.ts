import type { FinetuneData } from '../../../src-main/finetune/data.ts';
import type { RunControl } from '../../../src-main/lib/progress.ts';
import { Random } from '../../../src-main/lib/random.ts';
import { memoryReader } from '../../../src-main/inference/tiles.ts';

const sidePx = 64;

/** `count` pictures with bright discs (class 1) on a dark, noisy ground (class 0). */
export function blobData(count: number, seed: number): FinetuneData {
  const random = new Random(seed);
  const pictures = Array.from({ length: count }, () => blobPicture(random));
  const ids = pictures.map((_, i) => `picture ${i}`);
  return {
    classCount: 2,
    trainIds: ids,
    valIds: ids,
    testIds: ids,
    quickIds: ids,
    labelRevision: 'blobs',
    hasNewLabels: () => false,
    tiles: {
      count,
      tileSizePx: sidePx,
      tile: (i) => ({
        widthPx: sidePx,
        heightPx: sidePx,
        classPixels: pictures[i]?.classPixels ?? [],
      }),
      readMasks: (indices, target) =>
        indices.forEach((index, i) => target.set(pictures[index]?.labels ?? [], i * sidePx ** 2)),
      readImages: (indices, target) =>
        indices.forEach((index, i) => target.set(pictures[index]?.rgb ?? [], i * sidePx ** 2 * 3)),
    },
    open: (imageId) => {
      const picture = pictures[ids.indexOf(imageId)];
      if (picture === undefined) throw new Error(`No ${imageId}`);
      const size = { widthPx: sidePx, heightPx: sidePx };
      return Promise.resolve({
        ...size,
        picture: memoryReader({ data: picture.rgb, ...size }),
        readLabels: (top, rows) =>
          Promise.resolve(picture.labels.subarray(top * sidePx, (top + rows) * sidePx)),
      });
    },
    dispose: () => undefined,
  };
}

function blobPicture(random: Random) {
  const discs = Array.from({ length: 6 }, () => [
    random.uniform(0, sidePx),
    random.uniform(0, sidePx),
  ]);
  const labels = Uint8Array.from({ length: sidePx ** 2 }, (_, at) => {
    const [x, y] = [at % sidePx, Math.floor(at / sidePx)];
    return discs.some(([dx = 0, dy = 0]) => Math.hypot(x - dx, y - dy) < 10) ? 1 : 0;
  });
  const rgb = Uint8Array.from({ length: labels.length * 3 }, (_, i) => {
    const level = labels[Math.floor(i / 3)] === 1 ? 170 : 70;
    return level + random.integer(40);
  });
  const inside = labels.filter((label) => label === 1).length;
  return { labels, rgb, classPixels: [labels.length - inside, inside] };
}

/** A control whose requests and interruptions the test decides, by finished steps. */
export function scriptedControl(
  script: { pauseAt?: number; stopAt?: number; dieAt?: number } = {},
) {
  const notices: string[] = [];
  const phases = new Set<string>();
  let step = 0;
  const control: RunControl = {
    signal: new AbortController().signal,
    requested: () => {
      if (step === script.pauseAt) return 'pause';
      return step === script.stopAt ? 'stop' : 'none';
    },
    report: ({ phase, done, unit }) => {
      phases.add(phase);
      if (unit === 'step') step = done;
      if (step === script.dieAt) throw new Error('killed');
    },
    notice: (message) => notices.push(message),
  };
  return { control, notices, phases };
}
