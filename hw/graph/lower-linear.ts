import { UsageError } from '../../src/errors.js';
import type { EmbedOp, MatMulOp } from '../../src/model/graph.js';
import type { WeightSource } from '../../src/model/weights.js';
import type { OnnxBuilder } from '../../src/onnx/onnx-builder.js';
import { BLOCK } from '../../src/onnx/pack-blocks.js';
import type { WeightStore } from '../../src/onnx/weight-store.js';
import type { Calibration } from './calibration.js';
import { activationScale, packNibbles, quantizeRows } from './quantize.js';

export type WeightBits = 4 | 8 | 32;

export interface LinearQuantization {
  readonly bits: 4 | 8;
  readonly calibration: Calibration;
}

function bytesOf(values: Float32Array | Int8Array): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}

/** A matrix as f32 in the data file, once however often it is used: backends dislike block formats. */
async function floats(
  onnx: OnnxBuilder,
  source: WeightSource,
  id: string,
  dims: readonly number[],
): Promise<string> {
  const name = `${id}.f32`;
  if (!onnx.initializers.some((tensor) => tensor.name === name)) {
    const bytes = dims.reduce((product, extent) => product * extent, 4);
    const [region] = onnx.data.reserve([bytes], async () => [bytesOf(await source.read(id))]);
    onnx.external(name, 'f32', dims, region!);
  }
  return name;
}

export async function lowerEmbedding(op: EmbedOp, onnx: OnnxBuilder, source: WeightSource): Promise<void> {
  const [id] = op.weights;
  const vocab = source.info(id)?.shape[0] ?? 0;
  const table = await floats(onnx, source, id, [vocab, op.width]);
  onnx.node('Gather', op.id, [table, op.inputs[0]], { axis: 0 });
}

/** x W^T (+ bias), with floats or as a quantise - dequantise pattern that backends compile to integer products. */
export async function lowerLinear(
  op: MatMulOp,
  onnx: OnnxBuilder,
  source: WeightSource,
  weights: WeightStore,
  quantization: LinearQuantization | null,
): Promise<void> {
  const [id] = op.weights;
  const dims = [op.outWidth, op.inWidth];
  const product = op.bias ? `${op.id}.product` : op.id;
  if (quantization === null || op.role === 'router') {
    const matrix = await floats(onnx, source, id, dims);
    onnx.node('Gemm', product, [op.inputs[0], matrix], { transB: 1 });
  } else {
    const { calibration } = quantization;
    const x = fakeQuantized(onnx, op.inputs[0], calibration);
    const matrix = await dequantized(onnx, source, id, dims, quantization.bits);
    const raw = onnx.node('Gemm', `${op.id}.raw`, [x, matrix], { transB: 1 });
    quantizeTo(onnx, raw, op.id, product, calibration);
  }
  if (op.bias) onnx.node('Add', op.id, [product, weights.vector(op.weights[1] ?? '')]);
}

/** An activation rounded to 16 bits, shared by its readers. */
function fakeQuantized(onnx: OnnxBuilder, x: string, calibration: Calibration): string {
  const name = `${x}.dq`;
  return onnx.hasNode(name) ? name : quantizeTo(onnx, x, x, name, calibration);
}

function quantizeTo(
  onnx: OnnxBuilder,
  from: string,
  tensor: string,
  name: string,
  calibration: Calibration,
): string {
  const { scale, zeroPoint } = activationScale(calibration.range(tensor));
  const scaleName = onnx.float(scale);
  const zero = onnx.constant(
    ...([`const.u16.${zeroPoint}`, 'u16', [], new Uint8Array(Uint16Array.of(zeroPoint).buffer)] as const),
  );
  const codes = onnx.node('QuantizeLinear', `${name}.q`, [from, scaleName, zero]);
  return onnx.node('DequantizeLinear', name, [codes, scaleName, zero]);
}

/**
 * Weights as codes and scales: of 8 bits with a scale per output channel, of 4 bits with one per 32 weights of a row, the
 * blocks of llada.cpp's Q4_0.
 * @throws UsageError for rows that are no whole blocks
 */
async function dequantized(
  onnx: OnnxBuilder,
  source: WeightSource,
  id: string,
  dims: readonly number[],
  bits: 4 | 8,
): Promise<string> {
  const name = `${id}.w${bits}`;
  if (onnx.hasNode(name)) return name;
  const [out, width] = [dims[0], dims[1]];
  const type = bits === 4 ? 'i4' : 'i8';
  const block = bits === 4 ? BLOCK : width;
  if (width % block !== 0)
    throw new UsageError(`${id}: rows of ${width} weights are no whole blocks of ${block}`);
  const blocks = (out * width) / block;
  // One weight in memory at a time: the bytes are made when the data file is written.
  const sizes = [Math.ceil((out * width * bits) / 8), blocks * 4];
  const [codes, scales] = onnx.data.reserve(sizes, async () => {
    const quantized = quantizeRows(await source.read(id), blocks, block, bits);
    const packed = bits === 4 ? packNibbles(quantized.codes) : bytesOf(quantized.codes);
    return [packed, bytesOf(quantized.scales)];
  });
  const scaleDims = bits === 4 ? [out, width / block] : [out];
  const zeroBytes = new Uint8Array(Math.ceil((blocks * bits) / 8));
  const inputs = [
    onnx.external(`${name}.codes`, type, dims, codes!),
    onnx.external(`${name}.scales`, 'f32', scaleDims, scales!),
    onnx.constant(`const.zero.${type}.${scaleDims.join('x')}`, type, scaleDims, zeroBytes),
  ];
  return onnx.node(
    'DequantizeLinear',
    name,
    inputs,
    bits === 4 ? { axis: 1, block_size: block } : { axis: 0 },
  );
}
