import { ExternalData } from '../../onnx/external-data.js';
import { MICROSOFT, OnnxBuilder } from '../../onnx/onnx-builder.js';
import { encodeModel } from '../../onnx/onnx-proto.js';
import { BLOB_BYTES, BLOCK } from '../../onnx/pack-blocks.js';
import { loadOrt } from './runtime.js';

let available: Promise<boolean> | undefined;

/**
 * Whether this machine's ONNX Runtime multiplies Q4_0 blocks in place (MatMulFpQ4, which has kernels for AVX-512 only):
 * asked by running it on one block. DLLM_NPU_Q4_BLOBS=0 says no.
 */
export function q4BlobsAvailable(): Promise<boolean> {
  if (process.env.DLLM_NPU_Q4_BLOBS === '0' || process.arch !== 'x64') return Promise.resolve(false);
  available ??= probe().catch(() => false);
  return available;
}

/** Ones times one column of codes 9 (a value of 1) with scale 2, in two rows: 64 each. */
async function probe(): Promise<boolean> {
  const ort = await loadOrt();
  const blob = new Uint8Array(BLOB_BYTES).fill(0x99);
  new DataView(blob.buffer).setFloat32(0, 2, true);
  const onnx = new OnnxBuilder(new ExternalData(), '');
  onnx.input('x', 'f32', [2, BLOCK]);
  onnx.constant('w', 'u8', [BLOB_BYTES], blob);
  const inputs = ['x', 'w', onnx.ints([BLOCK, 1])];
  onnx.output(onnx.node('MatMulFpQ4', 'y', inputs, { blk_quant_type: 0 }, MICROSOFT), 'f32', [2, 1]);
  const bytes = encodeModel({
    ...{ irVersion: 8, producerName: 'probe', producerVersion: '', metadataProps: [] },
    opsetImport: [
      { domain: '', version: 18 },
      { domain: MICROSOFT, version: 1 },
    ],
    graph: {
      ...{ name: 'probe', node: onnx.nodes, initializer: onnx.initializers },
      ...{ input: onnx.inputs, output: onnx.outputs },
    },
  });
  // Fatal errors only: that the operator is missing is an answer, not a message for the user.
  const session = await ort.InferenceSession.create(bytes, { logSeverityLevel: 4 });
  const x = new ort.Tensor('float32', new Float32Array(2 * BLOCK).fill(1), [2, BLOCK]);
  const { y } = await session.run({ x }, { logSeverityLevel: 4 });
  await session.release();
  const values = y?.data as Float32Array | undefined;
  return values?.length === 2 && values.every((value) => value === 2 * BLOCK);
}
