import { DataError } from '../errors.js';
import { blockOf, elementsOf } from '../model/dtype.js';
import { CODECS } from '../model/formats/blocks/index.js';
import type { PackedFormat } from '../model/formats/blocks/packed.js';
import { rowCount, rowRanges, rowsOf, type WeightSource } from '../model/weights.js';
import type { Region } from './external-data.js';
import type { OnnxBuilder } from './onnx-builder.js';
import {
  BLOB_BYTES,
  BLOB_BYTES_WITH_ZERO,
  BLOCK,
  type BlockDType,
  bitsOf,
  splitHalves,
  unpackBlocks,
  widenScales,
} from './pack-blocks.js';
import { bytesPerRow, type PlaneTensors, packPlanes, planeParts, planeTensors } from './planes.js';

/** A weight as ONNX tensors: values, codes with a scale per block, or both in one array. */
export type StoredWeight =
  | { readonly kind: 'plain'; readonly type: 'f32' | 'f16' | 'bf16'; readonly name: string }
  | {
      readonly kind: 'blocks';
      readonly bits: 4 | 8;
      readonly codes: string;
      readonly scales: string;
    }
  /** Matrices of MatMulFpQ4 whose products are summed: one of type 0, for Q8_0 also one of type 1. */
  | { readonly kind: 'blobs'; readonly names: readonly string[] }
  /** Runs of rows, each unpacked when it is needed. */
  | { readonly kind: 'planes'; readonly runs: readonly PlaneTensors[] };

/** Values that are unpacked at a time. */
const RUN_ELEMENTS = 1 << 22;

/** Values packed at a time: what is left of them until the heap is swept lies beside the first pass. */
const PACKED = 1 << 19;

/** A weight in planes, all its rows. */
interface Planes {
  readonly format: PackedFormat;
  readonly width: number;
  readonly regions: readonly Region[];
}

interface Stored {
  readonly dtype: 'f32' | 'f16' | 'bf16' | BlockDType;
  readonly shape: readonly number[];
  readonly regions: readonly Region[];
}

/** Weights of a source in the data file, in the format the source stores them: each once, however often it is used. */
export class WeightStore {
  private readonly stored = new Map<string, Stored>();
  private readonly planes = new Map<string, Planes>();

  constructor(
    private readonly source: WeightSource,
    private readonly onnx: OnnxBuilder,
    /** Which quantised matrices are products of MatMulFpQ4 and stored for it. */
    private readonly asBlob: (id: string) => boolean = () => false,
  ) {}

  /**
   * A matrix [out, in], or matrix `index` of a stack. Codes are [out, blocks, bytes of a block] as MatMulNBits wants
   * them, or with `rows: true` [out, bytes of a row] as GatherBlockQuantized does: the same bytes under two shapes.
   */
  matrix(id: string, layout: { readonly index?: number; readonly rows?: boolean } = {}): StoredWeight {
    const { index, rows = false } = layout;
    const planes = this.planesAt(id);
    if (planes !== null) return { kind: 'planes', runs: this.runsOf(id, planes, index, rows) };
    const quantised = blockDType(this.info(id).dtype);
    const inPlace = !rows && quantised !== null && this.asBlob(id);
    const { dtype, shape, regions } = inPlace ? this.blobsAt(id, quantised) : this.at(id);
    const [out, width] = [shape.at(-2) ?? 1, shape.at(-1) ?? 1];
    const suffix = index === undefined ? '' : `.${index}`;
    const share = index === undefined ? 1 : (shape[0] ?? 1);
    const part = (i: number): Region => {
      const { offset, bytes } = regions[i];
      return { offset: offset + (index ?? 0) * (bytes / share), bytes: bytes / share };
    };
    if (inPlace) {
      const names = regions.map((_, type) => {
        const region = part(type);
        return this.onnx.external(`${id}${suffix}.blob${type}`, 'u8', [region.bytes], region);
      });
      return { kind: 'blobs', names };
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
    return this.onnx.external(id, 'f32', info.shape, found.regions[0]);
  }

  /** All rows in one run where rows are looked up, else runs small enough to hold. */
  private runsOf(id: string, planes: Planes, index: number | undefined, whole: boolean): PlaneTensors[] {
    const { shape } = this.info(id);
    const count = index === undefined ? rowCount(shape) : (shape.at(-2) ?? 1);
    const start = (index ?? 0) * count;
    const most = whole ? count : Math.max(1, Math.floor(RUN_ELEMENTS / planes.width));
    const runs: PlaneTensors[] = [];
    for (let first = 0; first < count; first += most)
      runs.push(planeTensors(this.onnx, id, planes, start + first, Math.min(most, count - first)));
    return runs;
  }

  /** Null for formats that have another form here. */
  private planesAt(id: string): Planes | null {
    const { shape, dtype } = this.info(id);
    if (dtype === 'i32' || blockDType(dtype) !== null) return null;
    const format = CODECS[dtype].packed;
    if (format === null) return null;
    let found = this.planes.get(id);
    if (found === undefined) {
      const width = shape.at(-1) ?? 1;
      const rows = rowCount(shape);
      const sizes = planeParts(format, width).map((part) => rows * bytesPerRow(part));
      const regions = this.onnx.data.reserve(sizes, () => this.packedRows(id, format));
      found = { format, width, regions };
      this.planes.set(id, found);
    }
    return found;
  }

  /** What `packPlanes` makes of a weight, some rows at a time: codes in bytes are larger than the file. */
  private async *packedRows(id: string, format: PackedFormat): AsyncGenerator<readonly Uint8Array[]> {
    const { shape } = this.info(id);
    const width = shape.at(-1) ?? 1;
    for (const { first, count } of rowRanges(shape, 1, PACKED)) {
      const label = `${this.source.label}: ${id}: rows from ${first}`;
      yield packPlanes(format, await rowsOf(this.source, id, first, count), width, label);
    }
  }

  private blobsAt(id: string, dtype: BlockDType): Stored {
    const key = `${id}.blob`;
    let found = this.stored.get(key);
    if (found === undefined) {
      const { shape } = this.info(id);
      const blocks = elementsOf(shape) / BLOCK;
      const label = `${this.source.label}: ${id}`;
      const sizes = dtype === 'q4_0' ? [BLOB_BYTES] : [BLOB_BYTES, BLOB_BYTES_WITH_ZERO];
      const regions = this.onnx.data.reserve(
        sizes.map((bytes) => bytes * blocks),
        async () => {
          const raw = await this.source.readRaw(id);
          return dtype === 'q4_0' ? [widenScales(raw, label)] : splitHalves(raw, label);
        },
      );
      found = { dtype, shape, regions };
      this.stored.set(key, found);
    }
    return found;
  }

  private at(id: string): Stored {
    let found = this.stored.get(id);
    if (found !== undefined) return found;
    const { shape, dtype } = this.info(id);
    const label = `${this.source.label}: ${id}`;
    const elements = elementsOf(shape);
    let regions: readonly Region[];
    if (dtype === 'q4_0' || dtype === 'q8_0') {
      const sizes = [(elements * bitsOf(dtype)) / 8, (elements / BLOCK) * 4];
      regions = this.onnx.data.reserve(sizes, async () =>
        unpackBlocks(dtype, await this.source.readRaw(id), label),
      );
    } else if (dtype === 'f32' || dtype === 'f16' || dtype === 'bf16') {
      regions = this.onnx.data.reserve([elements * blockOf(dtype).bytes], async () => [
        await this.source.readRaw(id),
      ]);
    } else {
      throw new DataError(`${label}: ${dtype} cannot be multiplied as weights`);
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

function blockDType(dtype: string): BlockDType | null {
  return dtype === 'q4_0' || dtype === 'q8_0' ? dtype : null;
}

function bytesOfFloats(values: Float32Array): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}
