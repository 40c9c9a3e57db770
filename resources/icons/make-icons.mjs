// Draws icon.svg in every form the systems want: "node resources/icons/make-icons.mjs".
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import sharp from 'sharp';

const folder = new URL('./', import.meta.url);
const svg = readFileSync(new URL('icon.svg', folder));
const draw = (size) =>
  sharp(svg, { density: 144 }).resize(size, size).png({ compressionLevel: 9 }).toBuffer();
const write = (name, bytes) => writeFileSync(new URL(name, folder), bytes);

/** ICO: a header, one entry of 16 bytes a picture, then PNG files. 256 is written as 0. */
async function ico(sizes) {
  const pictures = await Promise.all(sizes.map(draw));
  const header = Buffer.alloc(6 + 16 * sizes.length);
  header.writeUInt16LE(1, 2);
  header.writeUInt16LE(sizes.length, 4);
  let offset = header.length;
  pictures.forEach((picture, i) => {
    const at = 6 + 16 * i;
    header.writeUInt8(sizes[i] % 256, at);
    header.writeUInt8(sizes[i] % 256, at + 1);
    header.writeUInt16LE(1, at + 4);
    header.writeUInt16LE(32, at + 6);
    header.writeUInt32LE(picture.length, at + 8);
    header.writeUInt32LE(offset, at + 12);
    offset += picture.length;
  });
  return Buffer.concat([header, ...pictures]);
}

/** ICNS: blocks of a four-letter type, a length (this header included) and a PNG file. */
async function icns(types) {
  const blocks = await Promise.all(
    types.map(async ([type, size]) => {
      const picture = await draw(size);
      const header = Buffer.alloc(8);
      header.write(type, 'latin1');
      header.writeUInt32BE(picture.length + 8, 4);
      return Buffer.concat([header, picture]);
    }),
  );
  const body = Buffer.concat(blocks);
  const header = Buffer.alloc(8);
  header.write('icns', 'latin1');
  header.writeUInt32BE(body.length + 8, 4);
  return Buffer.concat([header, body]);
}

mkdirSync(new URL('linux/', folder), { recursive: true });
for (const size of [16, 32, 48, 64, 128, 256, 512])
  write(`linux/${size}x${size}.png`, await draw(size));
write('icon.png', await draw(1024));
write('tray.png', await draw(16));
write('tray@2x.png', await draw(32));
write('icon.ico', await ico([16, 24, 32, 48, 64, 128, 256]));
const macTypes = [
  ['icp4', 16],
  ['icp5', 32],
  ['ic07', 128],
  ['ic08', 256],
  ['ic09', 512],
  ['ic10', 1024],
  ['ic11', 32],
  ['ic12', 64],
  ['ic13', 256],
  ['ic14', 512],
];
write('icon.icns', await icns(macTypes));
