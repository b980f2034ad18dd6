import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { UsageError } from '../../errors.js';
import { atomicWriteFile } from '../../util/atomic-write.js';
import type { WriteProgress } from '../../util/write-file.js';
import type { ModelConfig } from '../config.js';
import { familyOf } from '../families/index.js';
import type { ModelText } from '../model-text.js';
import { weightShapes } from '../weight-ids.js';
import { checkWeights, rowCount, rowRanges, rowsOf, type WeightSource } from '../weights.js';
import type { WeightDType } from './blocks/index.js';
import { decodeWeight } from './codec.js';
import { adapterFiles, draftAdapterConfig } from './draft-adapter.js';
import { writeFolderText } from './folder-text.js';
import { configToHf } from './hf-config.js';
import { hfNameOf, storedTogether } from './hf-names.js';
import { type SafetensorsTensor, writeSafetensors } from './safetensors-write.js';

/**
 * Writes a model as a Hugging Face directory of its family: model.safetensors, config.json and
 * what there is about text. Gains and biases get the format of the matrices, as published checkpoints have it.
 *
 * @param quant f32, f16 or bf16; null keeps plain formats and widens quantised weights to f32
 * @throws UsageError for a quantised format or a weight without a name in the family's checkpoints; DataError for damaged weights
 */
export async function writeCheckpoint(
  config: ModelConfig,
  source: WeightSource,
  directory: string,
  quant: WeightDType | null,
  text: ModelText | null,
  progress: WriteProgress = {},
): Promise<void> {
  if (quant !== null && quant !== 'f32' && quant !== 'f16' && quant !== 'bf16')
    throw new UsageError(`safetensors hold f32, f16 or bf16 here, not ${quant}: write a .gguf file instead`);
  checkWeights(config, source);
  const tensors = new Map<string, SafetensorsTensor>();
  for (const [id, shape] of weightShapes(config)) {
    const stored = source.info(id)?.dtype;
    const kept = stored === 'f16' || stored === 'bf16' ? stored : 'f32';
    const dtype = quant ?? kept;
    const experts = id.includes('_exps.') ? shape[0] : null;
    const together = storedTogether(config.arch, id);
    if (together.length > 1) {
      if (together[0] !== id) continue;
      const all = together.map((each) => [each, weightShapes(config).get(each) ?? []] as const);
      const rows = all.reduce((sum, [, [count]]) => sum + count, 0);
      tensors.set(checkpointName(config, id), {
        shape: [rows, ...shape.slice(1)],
        dtype,
        values: () => chained(all.map(([each, own]) => valuesOf(source, each, own))),
      });
      continue;
    }
    if (experts === null) {
      tensors.set(checkpointName(config, id), { shape, dtype, values: () => valuesOf(source, id, shape) });
      continue;
    }
    // Checkpoints hold every expert's matrix by itself.
    const matrix = shape.slice(1);
    for (let expert = 0; expert < experts; expert++) {
      const values = () => valuesOf(source, id, matrix, expert * rowCount(matrix));
      tensors.set(checkpointName(config, id, expert), { shape: matrix, dtype, values });
    }
  }
  await mkdir(directory, { recursive: true });
  const adapter = new Map([...tensors].filter(([name]) => name.includes('.lora_')));
  for (const name of adapter.keys()) tensors.delete(name);
  await writeSafetensors(join(directory, 'model.safetensors'), tensors, { format: 'pt' }, progress);
  await writeAdapter(config, directory, adapter);
  atomicWriteFile(join(directory, 'config.json'), `${JSON.stringify(configToHf(config), null, 2)}\n`);
  if (text !== null) writeFolderText(directory, text);
}

async function writeAdapter(
  config: ModelConfig,
  directory: string,
  tensors: ReadonlyMap<string, SafetensorsTensor>,
): Promise<void> {
  const { adapter } = familyOf(config.arch).folder;
  if (config.draftAdapter === undefined || adapter === undefined) return;
  const { config: configPath, weights: weightsPath } = adapterFiles(directory, adapter.folder);
  await mkdir(dirname(weightsPath), { recursive: true });
  await writeSafetensors(weightsPath, tensors, { format: 'pt' });
  const stated = draftAdapterConfig(config.draftAdapter, adapter.target);
  atomicWriteFile(configPath, `${JSON.stringify(stated, null, 2)}\n`);
}

function checkpointName(config: ModelConfig, id: string, expert?: number): string {
  const name = hfNameOf(config.arch, id, expert);
  if (name === null) throw new UsageError(`${config.name}: ${id} has no name in a ${config.arch} checkpoint`);
  return name;
}

async function* chained(parts: readonly AsyncGenerator<Float32Array>[]): AsyncGenerator<Float32Array> {
  for (const part of parts) yield* part;
}

/** Values of a weight, or of a part of it that begins at `start`, some rows at a time. */
async function* valuesOf(
  source: WeightSource,
  id: string,
  shape: readonly number[],
  start = 0,
): AsyncGenerator<Float32Array> {
  const stored = source.info(id)?.dtype;
  if (stored === undefined || stored === 'i32' || shape.length === 1) {
    yield await source.read(id);
    return;
  }
  const width = shape.at(-1) ?? 1;
  for (const { first, count } of rowRanges(shape)) {
    const bytes = await rowsOf(source, id, start + first, count);
    yield decodeWeight(stored, bytes, `${source.label}: ${id}`, (start + first) * width);
  }
}
