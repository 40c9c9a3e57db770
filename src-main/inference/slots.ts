import { mkdirSync } from 'node:fs';
import { basename, extname, join } from 'node:path';
import { openImage, type ImageReader } from '../datasets/decode.ts';
import { encodePicture, rasterizeSvg } from '../datasets/encode.ts';
import { compileFunction } from '../graph/compile.ts';
import type { Device, HostTensors, TensorSpec } from '../graph/types.ts';
import { AppError } from '../lib/errors.ts';
import { writeFileAtomic } from '../lib/files.ts';
import { ENCODER_STRIDE } from '../nn/config.ts';
import type { MethodConfig } from '../pretrain/config.ts';
import { escapeMarkup } from './chart-parts.ts';
import {
  type MatchedSlot,
  matchSlots,
  type SlotMap,
  slotMaps,
  slotParameters,
  slotsByArea,
  slotScoresFunction,
} from './slot-maps.ts';
import { imageInput } from './segmentation.ts';
import { paintMap, paintSlot } from './slot-paint.ts';
import type { RgbImage } from './tiles.ts';

/** A pre-trained network: its settings and its whole training state or at least the teacher. */
export interface SlotModel {
  readonly config: MethodConfig;
  readonly state: HostTensors;
  /** Of the pixels it was trained on, against the source pictures. */
  readonly scale: number;
}

export interface SlotPictures {
  readonly folder: string;
  /** File names inside the folder. */
  readonly sheet: string;
  readonly maps: readonly {
    readonly name: string;
    readonly file: string;
    readonly slots: number;
  }[];
  readonly matches: readonly (MatchedSlot & { readonly file: string })[];
}

/** Longest side that the network is shown, and that of the pictures. */
const maxNetworkPx = 1024;
const shownPx = 480;

/**
 * Draws which slot each pixel of a picture belongs to, at the encoder and at each decoder level, all
 * slots in colors and the one slot that matches across levels (the paper's Figure 3), as PNG files
 * and one sheet, with the numbers in `slots.json`.
 * @throws AppError `slots.no-heads`, `images.*`, `disk.*`
 */
export async function drawSlots(
  model: SlotModel,
  options: { readonly imagePath: string; readonly outDir: string; readonly device: Device },
): Promise<SlotPictures> {
  const reader = await openImage(options.imagePath);
  const maps = await computeMaps(model, reader, options.device);
  const picture = await shownPicture(reader);
  const matches = matchSlots(maps);
  mkdirSync(options.outDir, { recursive: true });
  const save = async (name: string, image: RgbImage): Promise<string> => {
    const file = `${name.replaceAll(' ', '-')}.png`;
    writeFileAtomic(join(options.outDir, file), [await encodePicture(image, 'png')]);
    return file;
  };

  const original = await save('image', picture);
  const mapFiles: { name: string; file: string; slots: number }[] = [];
  const matchFiles: (MatchedSlot & { file: string })[] = [];
  for (const [i, map] of maps.entries()) {
    const file = await save(map.name, paintMap(picture, map));
    mapFiles.push({ name: map.name, file, slots: slotsByArea(map.slots).length });
    const match = matches[i];
    if (match === undefined) continue;
    const matchedFile = await save(`matched ${map.name}`, paintSlot(picture, map, match.slot));
    matchFiles.push({ ...match, file: matchedFile });
  }
  const title = basename(options.imagePath, extname(options.imagePath));
  const sheet = 'sheet.png';
  const svg = await contactSheet(title, picture, maps, matches);
  writeFileAtomic(join(options.outDir, sheet), [await rasterizeSvg(svg)]);
  const record = {
    image: basename(options.imagePath),
    original,
    maps: mapFiles,
    matches: matchFiles,
  };
  const text = `${JSON.stringify(record, null, 2)}\n`;
  writeFileAtomic(join(options.outDir, 'slots.json'), [new TextEncoder().encode(text)]);
  return { folder: options.outDir, sheet, maps: mapFiles, matches: matchFiles };
}

async function computeMaps(
  { config, state, scale }: SlotModel,
  reader: ImageReader,
  device: Device,
): Promise<readonly SlotMap[]> {
  const params = slotParameters(state);
  if (Object.keys(params).every((name) => !name.includes('grouping_k.'))) {
    throw new AppError(
      'slots.no-heads',
      'This run keeps only encoder and decoder, without the parts that form slots. Choose a pre-training run that still has its last checkpoint.',
    );
  }
  const size = networkSize(reader, scale);
  const whole = { ...size, topPx: 0, rows: size.heightPx };
  const spec: TensorSpec = { shape: [1, size.heightPx, size.widthPx, 3], dtype: 'uint8' };
  const network = await compileFunction(slotScoresFunction(config), {
    params,
    inputs: { [imageInput]: spec },
    device,
    label: 'slots',
  });
  try {
    const scores = await network.run(params, { [imageInput]: await reader.readScaledRows(whole) });
    return await slotMaps(config, scores, fitted(reader, shownPx));
  } finally {
    await network.dispose();
  }
}

/** The training scale, limited in size, rounded to sides that the encoder takes. */
export function networkSize(reader: ImageReader, scale: number, longestPx = maxNetworkPx) {
  const limit = Math.min(1, longestPx / (Math.max(reader.widthPx, reader.heightPx) * scale));
  const side = (px: number): number =>
    Math.max(1, Math.round((px * scale * limit) / ENCODER_STRIDE)) * ENCODER_STRIDE;
  return { widthPx: side(reader.widthPx), heightPx: side(reader.heightPx) };
}

/** A size with the longer side given. */
export function fitted(
  { widthPx, heightPx }: { widthPx: number; heightPx: number },
  longestPx: number,
) {
  const factor = longestPx / Math.max(widthPx, heightPx);
  return {
    widthPx: Math.max(1, Math.round(widthPx * factor)),
    heightPx: Math.max(1, Math.round(heightPx * factor)),
  };
}

/** The picture as it is painted on. */
export async function shownPicture(reader: ImageReader, longestPx = shownPx): Promise<RgbImage> {
  const size = fitted(reader, longestPx);
  const data = await reader.readScaledRows({ ...size, topPx: 0, rows: size.heightPx });
  return { data, ...size };
}

/** Picture, all slots and the matched slot of every output, as one SVG with the pictures inside. */
async function contactSheet(
  title: string,
  picture: RgbImage,
  maps: readonly SlotMap[],
  matches: readonly MatchedSlot[],
): Promise<string> {
  const width = 240;
  const height = Math.round((width * picture.heightPx) / picture.widthPx);
  const [gap, head] = [16, 46];
  const cells: { readonly image: RgbImage; readonly title: string; readonly note: string }[][] = [
    [{ image: picture, title: 'Picture', note: title }],
    [
      {
        image: picture,
        title: 'One slot across levels',
        note: 'reference: largest slot of the first map',
      },
    ],
  ];
  maps.forEach((map, i) => {
    const count = slotsByArea(map.slots).length;
    const note = `${map.gridWidth} x ${map.gridHeight}, ${count} ${count === 1 ? 'slot' : 'slots'}`;
    cells[0]?.push({ image: paintMap(picture, map), title: map.name, note });
    const match = matches[i];
    if (match === undefined) return;
    const inside = Math.round((100 * match.overlap) / Math.max(1, match.pixels));
    const matchNote = i === 0 ? `slot ${match.slot}` : `slot ${match.slot}, ${inside} % inside`;
    cells[1]?.push({
      image: paintSlot(picture, map, match.slot),
      title: map.name,
      note: matchNote,
    });
  });
  const drawn: string[] = [];
  for (const [row, line] of cells.entries()) {
    for (const [column, cell] of line.entries()) {
      const x = gap + column * (width + gap);
      const y = gap + row * (height + head + gap);
      const bytes = Buffer.from(await encodePicture(cell.image, 'png')).toString('base64');
      drawn.push(
        `<text x="${x}" y="${y + 16}" class="t">${escapeMarkup(cell.title)}</text>`,
        `<text x="${x}" y="${y + 34}" class="n">${escapeMarkup(cell.note)}</text>`,
        `<image x="${x}" y="${y + head - 4}" width="${width}" height="${height}" href="data:image/png;base64,${bytes}"/>`,
      );
    }
  }
  const sheetWidth = gap + (maps.length + 1) * (width + gap);
  const sheetHeight = gap + 2 * (height + head + gap);
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" width="${sheetWidth}" height="${sheetHeight}">` +
    `<style>text{font-family:'Segoe UI','DejaVu Sans',sans-serif;fill:#111827}.t{font-size:14px;font-weight:bold}.n{font-size:11.5px;fill:#4b5563}</style>` +
    `<rect width="100%" height="100%" fill="#ffffff"/>${drawn.join('')}</svg>`
  );
}
