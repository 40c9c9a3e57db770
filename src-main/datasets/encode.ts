import sharp from 'sharp';

/** An 8-bit RGB picture, `[heightPx, widthPx, 3]`. */
interface Picture {
  readonly data: Uint8Array;
  readonly widthPx: number;
  readonly heightPx: number;
}

/** A picture as the bytes of a JPEG (quality 90, full color resolution) or PNG file. */
export async function encodePicture(picture: Picture, format: 'jpg' | 'png'): Promise<Uint8Array> {
  const raw = { width: picture.widthPx, height: picture.heightPx, channels: 3 } as const;
  const image = sharp(picture.data, { raw, limitInputPixels: false });
  return format === 'jpg'
    ? image.jpeg({ quality: 90, chromaSubsampling: '4:4:4' }).toBuffer()
    : image.png({ compressionLevel: 9 }).toBuffer();
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
