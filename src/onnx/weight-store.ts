import { DataError } from '../errors.js';
import { blockOf, elementsOf } from '../model/dtype.js';
import type { WeightSource } from '../model/weights.js';
import type { Region } from './external-data.js';
import type { OnnxBuilder } from './onnx-builder.js';
import { BLOB_BYTES, BLOCK, type BlockDType, bitsOf, unpackBlocks, widenScales } from './pack-blocks.js';

/** A weight as ONNX tensors: values, codes with a scale per block, or both in one array (Q4_0 only). */
export type StoredWeight =
  | { readonly kind: 'plain'; readonly type: 'f32' | 'f16' | 'bf16'; readonly name: string }
  | {
      readonly kind: 'blocks';
      readonly bits: 4 | 8;
      readonly codes: string;
      readonly scales: string;
    }
  | { readonly kind: 'blob'; readonly name: string };

interface Stored {
  readonly dtype: 'f32' | 'f16' | 'bf16' | BlockDType;
  readonly shape: readonly number[];
  readonly regions: readonly Region[];
}

/** Weights of a source in the data file, in the format the source stores them: each once, however often it is used. */
export class WeightStore {
  private readonly stored = new Map<string, Stored>();

  constructor(
    private readonly source: WeightSource,
    private readonly onnx: OnnxBuilder,
    /** Which Q4_0 matrices are products of MatMulFpQ4 and stored for it. */
    private readonly asBlob: (id: string) => boolean = () => false,
  ) {}

  /**
   * A matrix [out, in], or matrix `index` of a stack. Codes are [out, blocks, bytes of a block] as MatMulNBits wants
   * them, or with `rows: true` [out, bytes of a row] as GatherBlockQuantized does: the same bytes under two shapes.
   */
  matrix(id: string, layout: { readonly index?: number; readonly rows?: boolean } = {}): StoredWeight {
    const { index, rows = false } = layout;
    const blob = !rows && this.info(id).dtype === 'q4_0' && this.asBlob(id);
    const { dtype, shape, regions } = blob ? this.blobAt(id) : this.at(id);
    const [out, width] = [shape.at(-2) ?? 1, shape.at(-1) ?? 1];
    const suffix = index === undefined ? '' : `.${index}`;
    const share = index === undefined ? 1 : (shape[0] ?? 1);
    const part = (i: number): Region => {
      const { offset, bytes } = regions[i]!;
      return { offset: offset + (index ?? 0) * (bytes / share), bytes: bytes / share };
    };
    if (blob) {
      const region = part(0);
      const name = this.onnx.external(`${id}${suffix}.blob`, 'u8', [region.bytes], region);
      return { kind: 'blob', name };
    }
    if (dtype === 'q4_0' || dtype === 'q8_0') {
      const bits = bitsOf(dtype);
      const blocks = width / BLOCK;
      const bytes = (BLOCK * bits) / 8;
      const codeDims = rows ? [out, blocks * bytes] : [out, blocks, bytes];
      const form = rows ? '.rows' : '';
      const codes = this.onnx.external(`${id}${suffix}.codes${form}`, 'u8', codeDims, part(0));
      const scaleDims = rows ? [out, blocks] : [out * blocks];
      const scales = this.onnx.external(`${id}${suffix}.scales${form}`, 'f32', scaleDims, part(1));
      return { kind: 'blocks', bits, codes, scales };
    }
    return {
      kind: 'plain',
      type: dtype,
      name: this.onnx.external(`${id}${suffix}`, dtype, [out, width], part(0)),
    };
  }

  /** A gain or bias as an f32 vector. */
  vector(id: string): string {
    const info = this.info(id);
    const key = `${id}.f32`;
    let found = this.stored.get(key);
    if (found === undefined) {
      const regions = this.onnx.data.reserve([elementsOf(info.shape) * 4], async () => [
        bytesOfFloats(await this.source.read(id)),
      ]);
      found = { dtype: 'f32', shape: info.shape, regions };
      this.stored.set(key, found);
    }
    return this.onnx.external(id, 'f32', info.shape, found.regions[0]!);
  }

  private blobAt(id: string): Stored {
    const key = `${id}.blob`;
    let found = this.stored.get(key);
    if (found === undefined) {
      const { shape } = this.info(id);
      const bytes = (elementsOf(shape) / BLOCK) * BLOB_BYTES;
      const regions = this.onnx.data.reserve([bytes], async () => [
        widenScales(await this.source.readRaw(id), `${this.source.label}: ${id}`),
      ]);
      found = { dtype: 'q4_0', shape, regions };
      this.stored.set(key, found);
    }
    return found;
  }

  private at(id: string): Stored {
    let found = this.stored.get(id);
    if (found !== undefined) return found;
    const { shape, dtype } = this.info(id);
    const label = `${this.source.label}: ${id}`;
    if (dtype === 'i32') throw new DataError(`${label}: integers cannot be multiplied as weights`);
    const elements = elementsOf(shape);
    let regions: readonly Region[];
    if (dtype === 'q4_0' || dtype === 'q8_0') {
      const sizes = [(elements * bitsOf(dtype)) / 8, (elements / BLOCK) * 4];
      regions = this.onnx.data.reserve(sizes, async () =>
        unpackBlocks(dtype, await this.source.readRaw(id), label),
      );
    } else {
      regions = this.onnx.data.reserve([elements * blockOf(dtype).bytes], async () => [
        await this.source.readRaw(id),
      ]);
    }
    found = { dtype, shape, regions };
    this.stored.set(id, found);
    return found;
  }

  private info(id: string) {
    const info = this.source.info(id);
    if (info === undefined) throw new DataError(`${this.source.label}: weight ${id} is missing`);
    return info;
  }
}

function bytesOfFloats(values: Float32Array): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}
