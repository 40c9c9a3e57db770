/**
 * The free text pairs (`metadata_props`) of an ONNX file, found by walking over the top-level fields
 * of ModelProto without decoding the weights (onnx.proto: metadata_props = 14, key = 1, value = 2).
 * @returns undefined when the bytes are no protobuf message
 */
export function readOnnxMetadata(bytes: Uint8Array): Readonly<Record<string, string>> | undefined {
  const pairs: Record<string, string> = {};
  try {
    for (const field of fieldsOf(bytes)) {
      if (field.number !== metadataProps || field.bytes === undefined) continue;
      const parts = [...fieldsOf(field.bytes)];
      const text = (number: number): string =>
        new TextDecoder().decode(parts.find((part) => part.number === number)?.bytes);
      pairs[text(1)] = text(2);
    }
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
  return pairs;
}

interface Field {
  readonly number: number;
  /** Content of a length-delimited field; other fields are skipped over. */
  readonly bytes?: Uint8Array;
}

function* fieldsOf(bytes: Uint8Array): Generator<Field> {
  let at = 0;
  const varint = (): number => {
    let value = 0;
    for (let shift = 1; ; shift *= 128) {
      const byte = bytes[at++];
      if (byte === undefined || shift > 2 ** 63) throw new RangeError('Malformed protobuf');
      value += (byte & 127) * shift;
      if (byte < 128) return value;
    }
  };
  while (at < bytes.length) {
    const key = varint();
    const number = Math.floor(key / 8);
    const start = at;
    switch (key % 8) {
      case 0:
        varint();
        yield { number };
        break;
      case 1:
        at += 8;
        yield { number };
        break;
      case 2: {
        const length = varint();
        if (at + length > bytes.length) throw new RangeError('Truncated protobuf');
        yield { number, bytes: bytes.subarray(at, at + length) };
        at += length;
        break;
      }
      case 5:
        at += 4;
        yield { number };
        break;
      default:
        throw new RangeError(`Unknown wire type at byte ${start}`);
    }
  }
}

const metadataProps = 14;
