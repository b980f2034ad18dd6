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
import { type SafetensorsTensor, writeSafetensors } from './safetensors-write.js';

/**
 * Writes a model as a Hugging Face LLaDA directory: model.safetensors, config.json and, when there is one,
 * tokenizer.json. Gains and biases get the format of the matrices, as published checkpoints have it.
 *
 * @param quant f32 or f16; null keeps plain formats and widens quantised weights to f32
 * @throws UsageError for a family without Hugging Face names here, or a quantised format; DataError for damaged weights
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
  if (config.arch !== 'llada')
    throw new UsageError(`only llada models are written as safetensors; write ${config.arch} as .gguf`);
  checkWeights(config, source);
  const tensors = new Map<string, SafetensorsTensor>();
  for (const [id, shape] of weightShapes(config)) {
    const name = hfFromCanonical(id);
    if (name === null) throw new UsageError(`${config.name}: ${id} has no name in a LLaDA checkpoint`);
    const stored = source.info(id)?.dtype;
    const kept = stored === 'f16' || stored === 'bf16' ? stored : 'f32';
    tensors.set(name, { shape, dtype: quant ?? kept, values: () => source.read(id) });
  }
  await mkdir(directory, { recursive: true });
  await writeSafetensors(join(directory, 'model.safetensors'), tensors, { format: 'pt' }, progress);
  atomicWriteFile(join(directory, 'config.json'), `${JSON.stringify(configToHf(config), null, 2)}\n`);
  if (tokenizerPath !== null) await copyFile(tokenizerPath, join(directory, 'tokenizer.json'));
}
