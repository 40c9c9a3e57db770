import { chmodSync, copyFileSync, mkdirSync, readFileSync, symlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import sharp from 'sharp';
import { encodePng } from './png-writer.ts';
import { greyPng, rectangle, sample, type TemporaryFolder } from './sample-files.ts';
import { encodeTiff } from './tiff-writer.ts';

/** One way in which a file of a data folder can be odd, and what an import must say about it. */
export interface BrokenKind {
  readonly name: string;
  /** Makes the file(s) in `images/` and `masks/`; returns the path the problem is listed under. */
  readonly make: (folder: TemporaryFolder, label: string, seed: number) => Promise<string>;
  readonly code: string;
  /** Part of the sentence. */
  readonly says: RegExp;
  /** Whether the image itself stays usable. */
  readonly isUsable: boolean;
}

const size = { width: 48, height: 40 };

async function jpeg(seed: number): Promise<Buffer> {
  return sample(size.width, size.height, seed).jpeg().toBuffer();
}

async function withMask(
  folder: TemporaryFolder,
  label: string,
  seed: number,
  mask: Uint8Array,
): Promise<string> {
  folder.write(`images/${label}.jpg`, await jpeg(seed));
  folder.write(`masks/${label}.png`, mask);
  return `masks/${label}.png`;
}

/** The kinds of the product's requirement for imports. */
export const brokenKinds: readonly BrokenKind[] = [
  {
    name: 'truncated',
    code: 'images.damaged',
    says: /damaged or incomplete/,
    isUsable: false,
    make: async (folder, label, seed) => {
      const whole = await jpeg(seed);
      folder.write(`images/${label}.jpg`, whole.subarray(0, whole.length * 0.6));
      return `${label}.jpg`;
    },
  },
  {
    name: 'zero bytes',
    code: 'images.empty',
    says: /is empty/,
    isUsable: false,
    make: (folder, label) => {
      folder.write(`images/${label}.png`, '');
      return Promise.resolve(`${label}.png`);
    },
  },
  {
    name: 'wrong extension',
    code: 'images.wrong-extension',
    says: /named like PNG but is a JPEG/,
    isUsable: true,
    make: async (folder, label, seed) => {
      folder.write(`images/${label}.png`, await jpeg(seed));
      return `${label}.png`;
    },
  },
  {
    name: '1x1',
    code: 'images.too-small',
    says: /only 1 x 1 px/,
    isUsable: false,
    make: async (folder, label, seed) => {
      folder.write(`images/${label}.png`, await sample(1, 1, seed).png().toBuffer());
      return `${label}.png`;
    },
  },
  {
    name: '20000x20000',
    code: 'images.large',
    says: /20000 x 20000 px/,
    isUsable: true,
    make: (folder, label) => {
      const content = { widthPx: 20000, heightPx: 20000, bits: 1, comment: label } as const;
      folder.write(`images/${label}.png`, encodePng(content));
      return Promise.resolve(`${label}.png`);
    },
  },
  {
    name: 'wrong mask size',
    code: 'masks.other-size',
    says: /20 x 20 px, but its image is 48 x 40 px/,
    isUsable: true,
    make: async (folder, label, seed) =>
      withMask(folder, label, seed, await greyPng(rectangle(20, 20, 1), 20, 20)),
  },
  {
    name: 'unknown mask values',
    code: 'masks.unknown-values',
    says: /no class: 7 \(/,
    isUsable: true,
    make: async (folder, label, seed) =>
      withMask(folder, label, seed, await greyPng(rectangle(48, 40, 7), 48, 40)),
  },
  {
    name: 'unreadable',
    // The administrator may read everything, so there a link to nothing stands for it.
    code: process.getuid?.() === 0 ? 'images.missing' : 'images.unreadable',
    says: /permission is missing|link to something that is not there/,
    isUsable: false,
    make: async (folder, label, seed) => {
      const path = join(folder.path, 'images', `${label}.jpg`);
      if (process.getuid?.() === 0) symlinkSync(join(folder.path, 'nowhere'), path);
      else {
        folder.write(`images/${label}.jpg`, await jpeg(seed));
        chmodSync(path, 0);
      }
      return `${label}.jpg`;
    },
  },
  {
    name: 'unicode and newline in the name',
    code: 'images.wrong-extension',
    says: /größe\\n細胞/,
    isUsable: true,
    make: async (folder, label, seed) => {
      folder.write(`images/größe\n細胞 ${label}.png`, await jpeg(seed));
      return `größe\n細胞 ${label}.png`;
    },
  },
  {
    name: 'symbolic link loop',
    code: 'images.link-loop',
    says: /link to a folder that it lies in/,
    isUsable: false,
    make: (folder, label) => {
      const inside = join(folder.path, 'images', label);
      mkdirSync(inside, { recursive: true });
      symlinkSync(dirname(inside), join(inside, 'up'));
      return Promise.resolve(`${label}/up`);
    },
  },
  {
    name: 'duplicate',
    code: 'images.duplicate',
    says: /is the same file as/,
    isUsable: false,
    make: async (folder, label, seed) => {
      const path = folder.write(`images/${label} a.jpg`, await jpeg(seed));
      copyFileSync(path, join(folder.path, 'images', `${label} b.jpg`));
      return `${label} b.jpg`;
    },
  },
  {
    name: 'animated',
    code: 'images.pages',
    says: /has 3 frames; the first is used/,
    isUsable: true,
    make: async (folder, label, seed) => {
      const frames = await Promise.all(
        [0, 1, 2].map((i) =>
          sample(size.width, size.height, seed + i)
            .png()
            .toBuffer(),
        ),
      );
      const animation = sharp(frames, { join: { animated: true } });
      folder.write(`images/${label}.webp`, await animation.webp().toBuffer());
      return `${label}.webp`;
    },
  },
  {
    name: 'CMYK',
    code: 'images.cmyk',
    says: /CMYK .* converted to RGB/,
    isUsable: true,
    make: async (folder, label, seed) => {
      const picture = sample(size.width, size.height, seed).toColourspace('cmyk');
      folder.write(`images/${label}.jpg`, await picture.jpeg().toBuffer());
      return `${label}.jpg`;
    },
  },
  {
    name: 'rotated',
    code: 'images.rotated',
    says: /turned upright/,
    isUsable: true,
    make: async (folder, label, seed) => {
      const picture = sample(size.width, size.height, seed).withMetadata({ orientation: 6 });
      folder.write(`images/${label}.jpg`, await picture.jpeg().toBuffer());
      return `${label}.jpg`;
    },
  },
  {
    name: '16-bit',
    code: 'images.deep',
    says: /has 16 bits; [0-9]+ to [0-9]+ was stretched/,
    isUsable: true,
    make: (folder, label, seed) => {
      const data = Uint16Array.from({ length: 48 * 40 }, (_, i) => 1000 + seed + i);
      const page = { widthPx: 48, heightPx: 40, channels: 1, data, photometric: 1 } as const;
      folder.write(`images/${label}.tif`, encodeTiff([page]));
      return Promise.resolve(`${label}.tif`);
    },
  },
];

/** The bytes of a file, for checking that an import changed nothing. */
export function bytesOf(folder: TemporaryFolder, relPath: string): Buffer {
  return readFileSync(join(folder.path, relPath));
}
