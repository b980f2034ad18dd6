import type { Op } from '../model/graph.js';
import type { Compute } from './compute.js';
import { MICROSOFT, type OnnxBuilder } from './onnx-builder.js';
import { BLOCK } from './pack-blocks.js';
import { unpackPlanes } from './planes.js';
import type { StoredWeight, WeightStore } from './weight-store.js';

/** What lowering an operator needs. */
export interface Lowering {
  readonly onnx: OnnxBuilder;
  readonly weights: WeightStore;
  readonly compute: Compute;
  /** Entries of the rotary tables: positions a run may use. */
  readonly positions: number;
  /** Score of a key that a row must not see, negated. Default 1e30, which a half cannot hold. */
  readonly hiddenScore?: number;
}

/** `accuracy_level` of MatMulNBits: inputs as f32, or as int8 (docs/ContribOperators.md of ONNX Runtime). */
const ACCURACY_LEVELS: Readonly<Record<Compute, number>> = { f32: 1, int8: 4 };

export function weightOf(op: Op, index: number): string {
  const id = op.weights[index];
  if (id === undefined) throw new Error(`${op.id} has no weight ${index}`);
  return id;
}

export function inputOf(op: Op, index: number): string {
  const id = op.inputs[index];
  if (id === undefined) throw new Error(`${op.id} has no input ${index}`);
  return id;
}

/** x [rows, in] times W [out, in]^T. */
export function product(
  { onnx, compute }: Lowering,
  name: string,
  x: string,
  weight: StoredWeight,
  inWidth: number,
  outWidth: number,
): string {
  if (weight.kind === 'blobs') {
    const part = (to: string, type: number, blob: string) => {
      const inputs = [x, blob, onnx.ints([inWidth, outWidth])];
      return onnx.node('MatMulFpQ4', to, inputs, { blk_quant_type: type }, MICROSOFT);
    };
    const [first = '', second] = weight.names;
    if (second === undefined) return part(name, 0, first);
    return onnx.node('Add', name, [part(`${name}.upper`, 0, first), part(`${name}.lower`, 1, second)]);
  }
  if (weight.kind === 'planes') {
    const results: string[] = [];
    for (const [i, run] of weight.runs.entries()) {
      const part = weight.runs.length === 1 ? name : `${name}.run${i}`;
      // One after the other, so that one run at a time is unpacked.
      const values = unpackPlanes(onnx, `${part}.weight`, run, results.at(-1) ?? x);
      results.push(onnx.node('Gemm', part, [x, values], { transB: 1 }));
    }
    return results.length === 1 ? name : onnx.node('Concat', name, results, { axis: 1 });
  }
  if (weight.kind === 'blocks') {
    const shape = { K: inWidth, N: outWidth, bits: weight.bits, block_size: BLOCK };
    const attributes = { ...shape, accuracy_level: ACCURACY_LEVELS[compute] };
    return onnx.node('MatMulNBits', name, [x, weight.codes, weight.scales], attributes, MICROSOFT);
  }
  return onnx.node('Gemm', name, [x, plainValues(onnx, weight)], { transB: 1 });
}

/** Values of a plain weight as f32; a half is widened by a Cast, which runtimes fold when they load the model. */
export function plainValues(onnx: OnnxBuilder, weight: StoredWeight & { readonly kind: 'plain' }): string {
  if (weight.type === 'f32') return weight.name;
  const widened = `${weight.name}.f32`;
  if (onnx.hasNode(widened)) return widened;
  return onnx.node('Cast', widened, [weight.name], { to: 1 });
}
