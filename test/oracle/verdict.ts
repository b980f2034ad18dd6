import { join } from 'node:path';
import { createTfjsEngine } from '../../src/engine/tfjs/engine.js';
import { DllmError } from '../../src/errors.js';
import type { ModelConfig } from '../../src/model/config.js';
import { encodeWeight } from '../../src/model/formats/codec.js';
import { configToGguf, isRotaryReordered } from '../../src/model/formats/gguf-config.js';
import { openGguf } from '../../src/model/formats/gguf-source.js';
import type { GgufValue } from '../../src/model/formats/gguf-types.js';
import { type GgufTensorToWrite, writeGguf } from '../../src/model/formats/gguf-write.js';
import { interleavedOrder, reorderRows } from '../../src/model/formats/rope-permutation.js';
import { weightShapes } from '../../src/model/weight-ids.js';
import { checkWeights } from '../../src/model/weights.js';
import { denoisePass, textRows } from '../support/passes.js';
import { randomWeights } from '../support/tiny-model.js';
import { type Llama, loadLlama } from './libllama.js';

/** A GGUF file before it is written, to be changed as another tool would have written it. */
export interface GgufDraft {
  readonly metadata: Map<string, GgufValue>;
  readonly tensors: Map<string, GgufTensorToWrite>;
}

/** What this project and llama.cpp make of one file: logits of every row, or why there are none. */
export interface Verdict {
  readonly ours: Float32Array | string;
  readonly theirs: Float32Array | string;
  /** Largest difference of logits; null when one of the two has none. */
  readonly difference: number | null;
}

const IDS = [7, 8, 9, 20, 11, 5, 30, 6, 14, 25, 33, 2];

/** Writes a random model of a configuration, changed, and asks both. */
export async function verdictOf(
  config: ModelConfig,
  directory: string,
  change: (draft: GgufDraft) => void,
): Promise<Verdict> {
  const weights = randomWeights(config, 4);
  const metadata = configToGguf(config, 'f32');
  metadata.set('tokenizer.ggml.model', { type: 'string', value: 'none' });
  const tensors = new Map<string, GgufTensorToWrite>();
  for (const [id, shape] of weightShapes(config)) {
    const bytes = async () => {
      const stored = encodeWeight('f32', await weights.read(id), id);
      const order = isRotaryReordered(config.arch, id)
        ? interleavedOrder(shape[0], config.headDim, config.ropeDims)
        : null;
      return order === null ? stored : reorderRows(stored, order);
    };
    tensors.set(id, { shape, dtype: 'f32', bytes });
  }
  change({ metadata, tensors });
  const path = join(directory, 'verdict.gguf');
  await writeGguf(path, metadata, tensors);
  const ours = await orReason(ourLogits(path), (error) => error instanceof DllmError);
  // Some files that are refused here make llama.cpp end the process.
  if (typeof ours === 'string') return { ours, theirs: 'not asked', difference: null };
  const llama = await loadLlama();
  const theirs = await orReason(
    Promise.resolve().then(() => theirLogits(llama, path)),
    () => true,
  );
  if (typeof theirs === 'string') return { ours, theirs, difference: null };
  return { ours, theirs, difference: ours.reduce((max, v, i) => Math.max(max, Math.abs(v - theirs[i])), 0) };
}

async function orReason(
  logits: Promise<Float32Array>,
  isReason: (error: unknown) => boolean,
): Promise<Float32Array | string> {
  try {
    return await logits;
  } catch (error) {
    if (!isReason(error) || !(error instanceof Error)) throw error;
    return error.message;
  }
}

function theirLogits(llama: Llama, path: string): Float32Array {
  const oracle = llama.open(path);
  try {
    return oracle.logits(IDS);
  } finally {
    oracle.close();
  }
}

async function ourLogits(path: string): Promise<Float32Array> {
  const { config, weights } = await openGguf(path);
  try {
    checkWeights(config, weights);
    const engine = await createTfjsEngine(config, weights);
    const { logits } = await engine.run(
      denoisePass(0, textRows(IDS), { visibility: config.attention === 'causal' ? 'causal' : 'all' }),
    );
    engine.dispose();
    return logits;
  } finally {
    await weights.close();
  }
}
