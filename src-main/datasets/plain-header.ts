import type { DecoderMetadata } from './image-facts.ts';

/**
 * What the decoder would say about the plainest PNG and JPEG files, read from their bytes. Asking the
 * decoder costs a fifth of importing a small picture. Undefined for everything that needs more
 * knowledge: profiles, EXIF, transparency by colour, palettes, interlaced or progressive files.
 */
export function plainHeader(bytes: Uint8Array): DecoderMetadata | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  try {
    if (view.getUint32(0) === 0x89504e47) return plainPng(view);
    if (view.getUint16(0) === startOfImage) return plainJpeg(view);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error; // cut off: the decoder says it better
  }
  return undefined;
}

/** Every chunk is looked at, as orientation may stand behind the pixels. */
function plainPng(view: DataView): DecoderMetadata | undefined {
  if (chunkName(view, 8) !== 'IHDR' || view.getUint8(24) !== 8) return undefined;
  const channels = pngChannels.get(view.getUint8(25));
  const [compression, filter, interlace] = [26, 27, 28].map((at) => view.getUint8(at));
  if (channels === undefined || compression !== 0 || filter !== 0 || interlace !== 0) return;
  let name = '';
  for (let at = 8; name !== 'IEND'; at += view.getUint32(at) + 12) {
    name = chunkName(view, at);
    if (!plainChunks.has(name)) return undefined;
  }
  return { ...sizeOf(view.getUint32(16), view.getUint32(20)), ...kindOf(channels) };
}

function plainJpeg(view: DataView): DecoderMetadata | undefined {
  let found: DecoderMetadata | undefined;
  for (let at = 2; ; at += 2 + view.getUint16(at + 2)) {
    const marker = view.getUint16(at);
    if (marker === startOfScan) return found;
    if (marker === baselineFrame) {
      const [precision, channels] = [view.getUint8(at + 4), view.getUint8(at + 9)];
      const [height, width] = [view.getUint16(at + 5), view.getUint16(at + 7)];
      if (precision !== 8 || height === 0 || (channels !== 1 && channels !== 3)) return undefined;
      found = { ...sizeOf(width, height), ...kindOf(channels) };
    } else if (!plainMarkers.has(marker)) return undefined;
  }
}

function chunkName(view: DataView, at: number): string {
  return String.fromCharCode(...[4, 5, 6, 7].map((i) => view.getUint8(at + i)));
}

function sizeOf(width: number, height: number) {
  return { width, height, isProgressive: false };
}

function kindOf(channels: number) {
  const space = channels === 1 ? 'b-w' : 'srgb';
  return { channels, space, depth: 'uchar', hasAlpha: channels === 4 };
}

const startOfImage = 0xffd8;
const startOfScan = 0xffda;
const baselineFrame = 0xffc0;
/** JFIF, comment, tables of quantization and of codes, restart interval. */
const plainMarkers: ReadonlySet<number> = new Set([0xffe0, 0xfffe, 0xffdb, 0xffc4, 0xffdd]);

/** By colour type: grey, RGB, RGB with opacity. */
const pngChannels: ReadonlyMap<number, number> = new Map([
  [0, 1],
  [2, 3],
  [6, 4],
]);
const plainChunks: ReadonlySet<string> = new Set(
  ['IHDR', 'IDAT', 'IEND'].concat(['gAMA', 'cHRM', 'sRGB', 'pHYs', 'tIME']),
);
