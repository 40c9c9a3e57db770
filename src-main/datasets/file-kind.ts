import { extname } from 'node:path';

/** The formats that are read. */
export type ImageFormat = 'jpeg' | 'png' | 'tiff' | 'webp' | 'gif';

export type FileKind =
  | { readonly type: 'image'; readonly format: ImageFormat }
  /** An image, but of a kind that cannot be read; `name` is what people call it. */
  | { readonly type: 'foreign'; readonly name: string }
  | { readonly type: 'unknown' };

/** How many first bytes `kindOfContent` wants to see. */
export const headBytes = 160;

/** Tells from the first bytes of a file what it really is, whatever its name says. */
export function kindOfContent(head: Uint8Array): FileKind {
  const text = Buffer.from(head).toString('latin1');
  const image = imageSignatures.find((signature) => matches(text, signature));
  if (image !== undefined) return { type: 'image', format: image[0] };
  const foreign = foreignSignatures.find((signature) => matches(text, signature));
  return foreign === undefined ? { type: 'unknown' } : { type: 'foreign', name: foreign[0] };
}

/** What the file name promises. */
export function kindOfName(path: string): FileKind {
  const extension = extname(path).slice(1).toLowerCase();
  const format = formatOfExtension.get(extension);
  if (format !== undefined) return { type: 'image', format };
  const name = foreignExtensions.get(extension);
  return name === undefined ? { type: 'unknown' } : { type: 'foreign', name };
}

/** As the user calls the format. */
export function formatName(format: ImageFormat): string {
  return format === 'webp' ? 'WebP' : format.toUpperCase();
}

/** Pieces of text (one character a byte) and the offsets they stand at. */
type Signature<T> = readonly [T, ...(readonly [offset: number, text: string])[]];

function matches(head: string, [, ...pieces]: Signature<unknown>): boolean {
  return pieces.every(([offset, text]) => head.startsWith(text, offset));
}

const imageSignatures: readonly Signature<ImageFormat>[] = [
  ['jpeg', [0, '\xff\xd8\xff']],
  ['png', [0, '\x89PNG\r\n\x1a\n']],
  ['tiff', [0, 'II*\0']],
  ['tiff', [0, 'MM\0*']],
  ['tiff', [0, 'II+\0']],
  ['tiff', [0, 'MM\0+']],
  ['webp', [0, 'RIFF'], [8, 'WEBP']],
  ['gif', [0, 'GIF87a']],
  ['gif', [0, 'GIF89a']],
];

const foreignSignatures: readonly Signature<string>[] = [
  ['BMP', [0, 'BM'], [6, '\0\0\0\0']],
  ['HEIC', [4, 'ftyphei']],
  ['HEIC', [4, 'ftypmif1']],
  ['AVIF', [4, 'ftypavi']],
  ['JPEG 2000', [0, '\0\0\0\x0cjP  ']],
  ['JPEG XL', [0, '\0\0\0\x0cJXL ']],
  ['DICOM', [128, 'DICM']],
  ['Zeiss CZI', [0, 'ZISRAWFILE']],
  ['Nikon ND2', [0, '\xda\xce\xbe\x0a']],
  ['Photoshop', [0, '8BPS']],
  ['OpenEXR', [0, '\x76\x2f\x31\x01']],
  ['FITS', [0, 'SIMPLE  =']],
  ['HDF5', [0, '\x89HDF\r\n']],
  ['PDF', [0, '%PDF']],
  ['SVG', [0, '<svg']],
];

const formatOfExtension: ReadonlyMap<string, ImageFormat> = new Map([
  ['jpg', 'jpeg'],
  ['jpeg', 'jpeg'],
  ['jpe', 'jpeg'],
  ['jfif', 'jpeg'],
  ['png', 'png'],
  ['tif', 'tiff'],
  ['tiff', 'tiff'],
  ['webp', 'webp'],
  ['gif', 'gif'],
]);

const foreignExtensions: ReadonlyMap<string, string> = new Map([
  ['bmp', 'BMP'],
  ['heic', 'HEIC'],
  ['heif', 'HEIC'],
  ['avif', 'AVIF'],
  ['jp2', 'JPEG 2000'],
  ['jxl', 'JPEG XL'],
  ['dcm', 'DICOM'],
  ['czi', 'Zeiss CZI'],
  ['lif', 'Leica LIF'],
  ['nd2', 'Nikon ND2'],
  ['lsm', 'Zeiss LSM'],
  ['nii', 'NIfTI'],
  ['nrrd', 'NRRD'],
  ['svs', 'Aperio SVS'],
  ['ndpi', 'Hamamatsu NDPI'],
  ['psd', 'Photoshop'],
  ['cr2', 'camera raw'],
  ['nef', 'camera raw'],
  ['arw', 'camera raw'],
  ['dng', 'camera raw'],
]);
