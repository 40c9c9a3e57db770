import sharp from 'sharp';

/** An 8-bit RGB picture, `[heightPx, widthPx, 3]`. */
export interface RgbPicture {
  readonly data: Uint8Array;
  readonly widthPx: number;
  readonly heightPx: number;
}

/** A picture as the bytes of a JPEG (quality 90, full color resolution) or PNG file. */
export async function encodePicture(
  picture: RgbPicture,
  format: 'jpg' | 'png',
): Promise<Uint8Array> {
  const raw = { width: picture.widthPx, height: picture.heightPx, channels: 3 } as const;
  const image = sharp(picture.data, { raw, limitInputPixels: false });
  return format === 'jpg'
    ? image.jpeg({ quality: 90, chromaSubsampling: '4:4:4' }).toBuffer()
    : image.png({ compressionLevel: 9 }).toBuffer();
}

/** A part of a picture as the bytes of a PNG file, packed quickly: it is only looked at. */
export async function encodeTile(picture: RgbPicture): Promise<Uint8Array> {
  const raw = { width: picture.widthPx, height: picture.heightPx, channels: 3 } as const;
  return sharp(picture.data, { raw, limitInputPixels: false })
    .png({ compressionLevel: 1 })
    .toBuffer();
}

/** Colors with opacity, `[heightPx, widthPx, 4]`, as the bytes of a PNG file. */
export async function encodeOverlay(picture: RgbPicture): Promise<Uint8Array> {
  const raw = { width: picture.widthPx, height: picture.heightPx, channels: 4 } as const;
  return sharp(picture.data, { raw, limitInputPixels: false })
    .png({ compressionLevel: 3 })
    .toBuffer();
}

/** A picture at another size. */
export async function scaleRgb(
  picture: RgbPicture,
  size: { readonly widthPx: number; readonly heightPx: number },
): Promise<RgbPicture> {
  const raw = { width: picture.widthPx, height: picture.heightPx, channels: 3 } as const;
  const data = await sharp(picture.data, { raw, limitInputPixels: false })
    .resize({ width: size.widthPx, height: size.heightPx, fit: 'fill' })
    .raw()
    .toBuffer();
  return { data, ...size };
}

/** Class indices, `[heightPx, widthPx]`, as the bytes of a grey PNG file. */
export async function encodeClassMask(
  classes: Uint8Array,
  size: { readonly widthPx: number; readonly heightPx: number },
): Promise<Uint8Array> {
  const raw = { width: size.widthPx, height: size.heightPx, channels: 1 } as const;
  return sharp(classes, { raw, limitInputPixels: false })
    .toColourspace('b-w')
    .png({ compressionLevel: 6 })
    .toBuffer();
}

/** An SVG drawing as the bytes of a PNG file. */
export async function rasterizeSvg(svg: string): Promise<Uint8Array> {
  return sharp(Buffer.from(svg), { limitInputPixels: false, unlimited: true }).png().toBuffer();
}
