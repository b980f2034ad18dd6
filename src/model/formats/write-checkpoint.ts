import { copyFile, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { UsageError } from '../../errors.js';
import { atomicWriteFile } from '../../util/atomic-write.js';
import type { WriteProgress } from '../../util/write-file.js';
import type { ModelConfig } from '../config.js';
import type { Quant } from '../precision.js';
import { weightShapes } from '../weight-ids.js';
import { checkWeights, type WeightSource } from '../weights.js';
import { configToHf } from './hf-config.js';
import { hfFromCanonical } from './hf-names.js';
import { llamaNameOf } from './hf-names-llama.js';
import { type SafetensorsTensor, writeSafetensors } from './safetensors-write.js';

/**
 * Writes a model as a Hugging Face directory of its family: model.safetensors, config.json and, when there is one,
 * tokenizer.json. Gains and biases get the format of the matrices, as published checkpoints have it.
 *
 * @param quant f32 or f16; null keeps plain formats and widens quantised weights to f32
 * @throws UsageError for a quantised format or a weight without a name in the family's checkpoints; DataError for damaged weights
 */
export async function writeCheckpoint(
  config: ModelConfig,
  source: WeightSource,
  directory: string,
  quant: Quant | null,
  tokenizerPath: string | null,
  progress: WriteProgress = {},
): Promise<void> {
  if (quant === 'q4_0' || quant === 'q8_0')
    throw new UsageError(`safetensors hold f32 or f16 here, not ${quant}: write a .gguf file instead`);
  checkWeights(config, source);
  const tensors = new Map<string, SafetensorsTensor>();
  for (const [id, shape] of weightShapes(config)) {
    const stored = source.info(id)?.dtype;
    const kept = stored === 'f16' || stored === 'bf16' ? stored : 'f32';
    const dtype = quant ?? kept;
    const experts = id.includes('_exps.') ? (shape[0] ?? 0) : null;
    if (experts === null) {
      tensors.set(checkpointName(config, id), { shape, dtype, values: () => source.read(id) });
      continue;
    }
    // Checkpoints hold every expert's matrix by itself. The stack is read once, for its first expert.
    const part = expertReader(source, id, experts);
    for (let expert = 0; expert < experts; expert++) {
      const values = () => part(expert);
      tensors.set(checkpointName(config, id, expert), { shape: shape.slice(1), dtype, values });
    }
  }
  await mkdir(directory, { recursive: true });
  await writeSafetensors(join(directory, 'model.safetensors'), tensors, { format: 'pt' }, progress);
  atomicWriteFile(join(directory, 'config.json'), `${JSON.stringify(configToHf(config), null, 2)}\n`);
  if (tokenizerPath !== null) await copyFile(tokenizerPath, join(directory, 'tokenizer.json'));
}

function checkpointName(config: ModelConfig, id: string, expert?: number): string {
  const name = config.arch === 'llada' ? hfFromCanonical(id) : llamaNameOf(id, expert);
  if (name === null) throw new UsageError(`${config.name}: ${id} has no name in a ${config.arch} checkpoint`);
  return name;
}

/** Matrices of a stack of experts, asked for in ascending order. */
function expertReader(source: WeightSource, id: string, experts: number) {
  let stack: Float32Array | null = null;
  return async (expert: number): Promise<Float32Array> => {
    stack ??= await source.read(id);
    const size = stack.length / experts;
    const values = stack.slice(expert * size, (expert + 1) * size);
    if (expert === experts - 1) stack = null;
    return values;
  };
}
