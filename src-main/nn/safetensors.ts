import { closeSync, fstatSync, openSync, readFileSync, readSync } from 'node:fs';
import { basename } from 'node:path';
import * as v from 'valibot';
import type { DataType, HostData, HostTensor, HostTensors } from '../graph/types.ts';
import { AppError } from '../lib/errors.ts';

/** The content of a safetensors file. */
export interface SafetensorsFile {
  readonly tensors: HostTensors;
  readonly metadata: Readonly<Record<string, string>>;
}

/**
 * Reads a safetensors file, from disk or from memory. Half and double precision become float32,
 * 64-bit integers int32; the file itself is checked as far as its format allows.
 * @throws AppError `weights.unreadable` with what is wrong with the file
 */
export function readSafetensors(source: string | Uint8Array, name?: string): SafetensorsFile {
  const label = name ?? (typeof source === 'string' ? basename(source) : 'The weights file');
  return explained(label, () => parse(typeof source === 'string' ? readFileSync(source) : source));
}

/** What a safetensors file holds, from its header alone: names in order and metadata. */
export interface SafetensorsHeader {
  readonly names: readonly string[];
  readonly metadata: Readonly<Record<string, string>>;
}

/**
 * Reads the header of a safetensors file, however large the file is.
 * @throws AppError `weights.unreadable`
 */
export function readSafetensorsHeader(path: string): SafetensorsHeader {
  return explained(basename(path), () => {
    const file = openSync(path, 'r');
    try {
      const length = new Uint8Array(8);
      if (readSync(file, length, 0, 8, 0) < 8) throw new FormatError('it is too short');
      const { size } = fstatSync(file);
      const headerLength = Number(new DataView(length.buffer).getBigUint64(0, true));
      if (headerLength > size - 8) throw new FormatError('its header is cut off');
      const bytes = new Uint8Array(headerLength);
      readSync(file, bytes, 0, headerLength, 8);
      const { metadata, entries } = parseHeader(bytes);
      return { names: Object.keys(entries), metadata };
    } finally {
      closeSync(file);
    }
  });
}

/**
 * The file as chunks to be written one after the other, so that no second copy of all weights is
 * needed. Tensors keep their order; metadata values are text.
 */
export function* safetensorsChunks(
  tensors: HostTensors,
  metadata: Readonly<Record<string, string>> = {},
): Generator<Uint8Array> {
  const header: Record<string, unknown> = {};
  if (Object.keys(metadata).length > 0) header['__metadata__'] = metadata;
  let offset = 0;
  for (const [name, { shape, dtype, data }] of Object.entries(tensors)) {
    const end = offset + data.byteLength;
    header[name] = { dtype: FILE_TYPES[dtype], shape, data_offsets: [offset, end] };
    offset = end;
  }
  const text = new TextEncoder().encode(JSON.stringify(header));
  const padded = new Uint8Array(Math.ceil(text.length / 8) * 8).fill(0x20); // data stays aligned
  padded.set(text);
  const length = new Uint8Array(8);
  new DataView(length.buffer).setBigUint64(0, BigInt(padded.length), true);
  yield length;
  yield padded;
  for (const { data } of Object.values(tensors)) {
    yield new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  }
}

/** The whole file in memory. */
export function writeSafetensors(
  tensors: HostTensors,
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array {
  return Buffer.concat([...safetensorsChunks(tensors, metadata)]);
}

/** Anything wrong with the file; the message completes "cannot be read: ...". */
class FormatError extends Error {}

const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const HeaderSchema = v.record(v.string(), v.unknown());
const MetadataSchema = v.record(v.string(), v.string());
const EntrySchema = v.object({
  dtype: v.string(),
  shape: v.array(count),
  data_offsets: v.tuple([count, count]),
});

function parse(bytes: Uint8Array): SafetensorsFile {
  if (bytes.byteLength < 8) throw new FormatError('it is too short');
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const headerLength = Number(view.getBigUint64(0, true));
  if (headerLength > bytes.byteLength - 8) throw new FormatError('its header is cut off');
  const { metadata, entries } = parseHeader(bytes.subarray(8, 8 + headerLength));
  const data = bytes.subarray(8 + headerLength);
  const tensors = Object.entries(entries).map(([name, entry]): [string, HostTensor] => [
    name,
    readTensor(name, entry, data),
  ]);
  return { tensors: Object.fromEntries(tensors), metadata };
}

function parseHeader(bytes: Uint8Array): {
  readonly metadata: SafetensorsHeader['metadata'];
  readonly entries: Readonly<Record<string, unknown>>;
} {
  let header: unknown;
  try {
    header = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (cause) {
    throw new FormatError('its header is not valid JSON', { cause });
  }
  if (Array.isArray(header) || !v.is(HeaderSchema, header))
    throw new FormatError('its header is not a list of tensors');
  const { __metadata__: metadata = {}, ...entries } = header;
  if (!v.is(MetadataSchema, metadata)) throw new FormatError('its metadata is not text');
  return { metadata, entries };
}

function explained<T>(label: string, read: () => T): T {
  try {
    return read();
  } catch (cause) {
    if (!(cause instanceof FormatError) && !isFileError(cause)) throw cause;
    const reason = cause instanceof FormatError ? cause.message : 'it could not be opened';
    throw new AppError(
      'weights.unreadable',
      `${label} cannot be read as a safetensors file: ${reason}. Check that it was copied completely and is a .safetensors file.`,
      { cause },
    );
  }
}

function readTensor(name: string, entry: unknown, data: Uint8Array): HostTensor {
  if (!v.is(EntrySchema, entry)) throw new FormatError(`the entry of ${name} is malformed`);
  const reader = READERS[entry.dtype];
  if (reader === undefined) {
    throw new FormatError(`${name} has the unknown number format ${entry.dtype}`);
  }
  const [start, end] = entry.data_offsets;
  const size = entry.shape.reduce((a, b) => a * b, 1);
  if (start > end || end - start !== size * reader.bytes) {
    throw new FormatError(`the size of ${name} does not fit its shape`);
  }
  if (end > data.byteLength) throw new FormatError(`the data of ${name} is cut off`);
  const copy = new Uint8Array(data.subarray(start, end)).buffer; // aligned, and its own memory
  return { shape: entry.shape, dtype: reader.dtype, data: reader.read(copy) };
}

function isFileError(cause: unknown): boolean {
  return cause instanceof Error && 'code' in cause && 'syscall' in cause;
}

/** bfloat16 is the upper half of a float32. */
function fromBfloat16(buffer: ArrayBuffer): Float32Array {
  const bits = Uint32Array.from(new Uint16Array(buffer), (half) => half << 16);
  return new Float32Array(bits.buffer);
}

interface Reader {
  readonly bytes: number;
  readonly dtype: DataType;
  readonly read: (buffer: ArrayBuffer) => HostData;
}

const FILE_TYPES: Readonly<Record<DataType, string>> = {
  float32: 'F32',
  int32: 'I32',
  uint8: 'U8',
};

const READERS: Readonly<Record<string, Reader>> = {
  F64: { bytes: 8, dtype: 'float32', read: (b) => Float32Array.from(new Float64Array(b)) },
  F32: { bytes: 4, dtype: 'float32', read: (b) => new Float32Array(b) },
  F16: { bytes: 2, dtype: 'float32', read: (b) => Float32Array.from(new Float16Array(b)) },
  BF16: { bytes: 2, dtype: 'float32', read: fromBfloat16 },
  I64: { bytes: 8, dtype: 'int32', read: (b) => Int32Array.from(new BigInt64Array(b), Number) },
  I32: { bytes: 4, dtype: 'int32', read: (b) => new Int32Array(b) },
  U8: { bytes: 1, dtype: 'uint8', read: (b) => new Uint8Array(b) },
  BOOL: { bytes: 1, dtype: 'uint8', read: (b) => new Uint8Array(b) },
};
