import { ExternalData } from '../../onnx/external-data.js';
import { MICROSOFT, OnnxBuilder } from '../../onnx/onnx-builder.js';
import { encodeModel } from '../../onnx/onnx-proto.js';
import { BLOB_BYTES, BLOB_BYTES_WITH_ZERO, BLOCK } from '../../onnx/pack-blocks.js';
import { loadOrt } from './runtime.js';

let available: Promise<boolean> | undefined;

/**
 * Whether this machine's ONNX Runtime multiplies blocks of 4-bit codes in place (MatMulFpQ4, which has kernels for AVX-512 only):
 * asked by running it on one block. DLLM_NPU_Q4_BLOBS=0 says no.
 */
export function q4BlobsAvailable(): Promise<boolean> {
  if (process.env.DLLM_NPU_Q4_BLOBS === '0' || process.arch !== 'x64') return Promise.resolve(false);
  available ??= probe().catch(() => false);
  return available;
}

/** Ones times one column of codes 9 with scale 2, in two rows: 64 each (zero point 8, type 0) and 576 each (zero point 0, type 1). */
async function probe(): Promise<boolean> {
  const ort = await loadOrt();
  const onnx = new OnnxBuilder(new ExternalData(), '');
  onnx.input('x', 'f32', [2, BLOCK]);
  for (const [type, bytes] of [BLOB_BYTES, BLOB_BYTES_WITH_ZERO].entries()) {
    const blob = new Uint8Array(bytes).fill(0x99);
    new DataView(blob.buffer).setFloat32(0, 2, true);
    if (type === 1) blob[4] = 0;
    onnx.constant(`w${type}`, 'u8', [bytes], blob);
    const inputs = ['x', `w${type}`, onnx.ints([BLOCK, 1])];
    const y = onnx.node('MatMulFpQ4', `y${type}`, inputs, { blk_quant_type: type }, MICROSOFT);
    onnx.output(y, 'f32', [2, 1]);
  }
  const bytes = encodeModel({
    irVersion: 8,
    producerName: 'probe',
    producerVersion: '',
    metadataProps: [],
    opsetImport: [
      { domain: '', version: 18 },
      { domain: MICROSOFT, version: 1 },
    ],
    graph: {
      name: 'probe',
      node: onnx.nodes,
      initializer: onnx.initializers,
      input: onnx.inputs,
      output: onnx.outputs,
    },
  });
  // Fatal errors only: that the operator is missing is an answer, not a message for the user.
  const session = await ort.InferenceSession.create(bytes, { logSeverityLevel: 4 });
  const x = new ort.Tensor('float32', new Float32Array(2 * BLOCK).fill(1), [2, BLOCK]);
  const { y0, y1 } = await session.run({ x }, { logSeverityLevel: 4 });
  await session.release();
  const equal = (y: typeof y0, wanted: number) =>
    y?.size === 2 && (y.data as Float32Array).every((value) => value === wanted);
  return equal(y0, 2 * BLOCK) && equal(y1, 18 * BLOCK);
}
