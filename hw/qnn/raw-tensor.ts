import { DataError } from '../../src/errors.js';
import { fromF16Bits, toF16Bits } from '../../src/model/formats/f16.js';

/** Element types of QNN tensors that are read and written here, as `qnn-context-binary-utility` names them. */
const ELEMENT_BYTES = {
  QNN_DATATYPE_FLOAT_32: 4,
  QNN_DATATYPE_FLOAT_16: 2,
  QNN_DATATYPE_INT_32: 4,
  QNN_DATATYPE_UINT_32: 4,
  QNN_DATATYPE_UFIXED_POINT_8: 1,
  QNN_DATATYPE_UFIXED_POINT_16: 2,
  QNN_DATATYPE_SFIXED_POINT_8: 1,
  QNN_DATATYPE_SFIXED_POINT_16: 2,
} as const;

export type QnnDataType = keyof typeof ELEMENT_BYTES;

export interface RawTensor {
  readonly name: string;
  readonly dataType: QnnDataType;
  readonly dims: readonly number[];
  /** Of fixed-point types: real = (stored + offset) * scale. */
  readonly scale?: number;
  readonly offset?: number;
}

export function isQnnDataType(name: string): name is QnnDataType {
  return Object.hasOwn(ELEMENT_BYTES, name);
}

export function elementsOf({ dims }: RawTensor): number {
  return dims.reduce((product, extent) => product * extent, 1);
}

/** Size of the tensor's file. */
export function bytesOf(tensor: RawTensor): number {
  return elementsOf(tensor) * ELEMENT_BYTES[tensor.dataType];
}

/**
 * Content of a `.raw` file: dense, little-endian, in the tensor's own type (`--use_native_input_files`).
 * Fixed-point values outside the range become its ends.
 * @throws DataError when the number of values is not that of the tensor
 */
export function encodeRaw(values: Float32Array | Int32Array, tensor: RawTensor): Buffer {
  const { name } = tensor;
  if (values.length !== elementsOf(tensor)) {
    throw new DataError(`${name} has ${elementsOf(tensor)} elements, not ${values.length}`);
  }
  const buffer = Buffer.alloc(bytesOf(tensor));
  const { put } = accessOf(tensor, new DataView(buffer.buffer, buffer.byteOffset, buffer.byteLength));
  for (let at = 0; at < values.length; at++) put(at, values[at]);
  return buffer;
}

/** The inverse of `encodeRaw`. @throws DataError when the size is not that of the tensor */
export function decodeRaw(bytes: Buffer, tensor: RawTensor): Float32Array {
  if (bytes.length !== bytesOf(tensor)) {
    throw new DataError(
      `${tensor.name} has ${bytes.length} bytes, not ${bytesOf(tensor)}: it is not of ${tensor.dataType} [${tensor.dims.join(', ')}]`,
    );
  }
  const { get } = accessOf(tensor, new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength));
  return Float32Array.from({ length: elementsOf(tensor) }, (_, at) => get(at));
}

interface Access {
  readonly get: (at: number) => number;
  readonly put: (at: number, value: number) => void;
}

function accessOf({ dataType, scale = 1, offset = 0 }: RawTensor, view: DataView): Access {
  const fixed = (
    lowest: number,
    highest: number,
    get: (at: number) => number,
    put: Access['put'],
  ): Access => ({
    get: (at) => (get(at) + offset) * scale,
    put: (at, value) => put(at, Math.min(highest, Math.max(lowest, Math.round(value / scale) - offset))),
  });
  switch (dataType) {
    case 'QNN_DATATYPE_FLOAT_32':
      return {
        get: (at) => view.getFloat32(4 * at, true),
        put: (at, value) => view.setFloat32(4 * at, value, true),
      };
    case 'QNN_DATATYPE_FLOAT_16':
      return {
        get: (at) => fromF16Bits(view.getUint16(2 * at, true)),
        put: (at, value) => view.setUint16(2 * at, toF16Bits(value), true),
      };
    case 'QNN_DATATYPE_INT_32':
      return {
        get: (at) => view.getInt32(4 * at, true),
        put: (at, value) => view.setInt32(4 * at, value, true),
      };
    case 'QNN_DATATYPE_UINT_32':
      return {
        get: (at) => view.getUint32(4 * at, true),
        put: (at, value) => view.setUint32(4 * at, value, true),
      };
    case 'QNN_DATATYPE_UFIXED_POINT_8':
      return fixed(
        0,
        255,
        (at) => view.getUint8(at),
        (at, value) => view.setUint8(at, value),
      );
    case 'QNN_DATATYPE_SFIXED_POINT_8':
      return fixed(
        -128,
        127,
        (at) => view.getInt8(at),
        (at, value) => view.setInt8(at, value),
      );
    case 'QNN_DATATYPE_UFIXED_POINT_16':
      return fixed(
        0,
        65535,
        (at) => view.getUint16(2 * at, true),
        (at, value) => view.setUint16(2 * at, value, true),
      );
    case 'QNN_DATATYPE_SFIXED_POINT_16':
      return fixed(
        -32768,
        32767,
        (at) => view.getInt16(2 * at, true),
        (at, value) => view.setInt16(2 * at, value, true),
      );
  }
}
