import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import sharp, { type Sharp } from 'sharp';
import { Random } from '../../../src-main/lib/random.ts';

/** A folder that is removed when the test disposes it. */
export class TemporaryFolder {
  readonly path = mkdtempSync(join(tmpdir(), 'decon-datasets-'));

  /** Writes a file, making its folder, and returns its path. */
  write(relPath: string, data: string | Uint8Array): string {
    const path = join(this.path, relPath);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, data);
    return path;
  }

  writeJson(relPath: string, value: unknown): string {
    return this.write(relPath, JSON.stringify(value));
  }

  [Symbol.dispose](): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}

/** Smooth random blobs, [height, width, 3]; different for each seed. */
export function samplePixels(widthPx: number, heightPx: number, seed: number): Uint8Array {
  const random = new Random(seed);
  const waves = Array.from({ length: 6 }, () => [
    random.uniform(0.02, 0.3),
    random.uniform(0.02, 0.3),
    random.uniform(0, 6.28),
  ]);
  const data = new Uint8Array(widthPx * heightPx * 3);
  for (let i = 0; i < data.length; i++) {
    const channel = i % 3;
    const x = Math.floor(i / 3) % widthPx;
    const y = Math.floor(i / (3 * widthPx));
    let value = 128;
    for (const [a = 0, b = 0, c = 0] of waves) value += 20 * Math.sin(a * x + b * y + c + channel);
    data[i] = Math.max(0, Math.min(255, Math.round(value)));
  }
  return data;
}

/** A sample picture for sharp to encode. */
export function sample(widthPx: number, heightPx: number, seed: number): Sharp {
  return sharp(samplePixels(widthPx, heightPx, seed), {
    raw: { width: widthPx, height: heightPx, channels: 3 },
  });
}

/** One-channel values as a grey PNG. */
export async function greyPng(
  values: Uint8Array,
  widthPx: number,
  heightPx: number,
): Promise<Uint8Array> {
  return sharp(values, { raw: { width: widthPx, height: heightPx, channels: 1 } })
    .toColourspace('b-w')
    .png()
    .toBuffer();
}

/** RGB values as a PNG. */
export async function colorPng(
  values: Uint8Array,
  widthPx: number,
  heightPx: number,
): Promise<Uint8Array> {
  return sharp(values, { raw: { width: widthPx, height: heightPx, channels: 3 } })
    .png()
    .toBuffer();
}

/** A mask with a filled rectangle of `inside` on `outside`, [height, width]. */
export function rectangle(
  widthPx: number,
  heightPx: number,
  inside: number,
  outside = 0,
): Uint8Array {
  return Uint8Array.from({ length: widthPx * heightPx }, (_, i) => {
    const x = i % widthPx;
    const y = Math.floor(i / widthPx);
    const isInside = x >= 4 && x < widthPx / 2 && y >= 4 && y < heightPx / 2;
    return isInside ? inside : outside;
  });
}
