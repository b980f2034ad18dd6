import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { DataError, EnvironmentError } from '../../errors.js';
import { readJsonAs } from '../../util/read-file.js';
import type { Family } from '../families/family.js';
import type { DraftAdapter } from '../model-shape.js';
import { isOfAdapter } from '../weight-ids.js';
import { rowsOf, type WeightSource } from '../weights.js';

/** An adapter as PEFT writes one: a folder beside the weights of its model. */
export interface StoredAdapter extends DraftAdapter {
  readonly weightsPath: string;
  /** What A and B together are multiplied by. */
  readonly scale: number;
}

/** What a PEFT configuration says of a LoRA without changing what it computes. */
const INERT = new Set(
  `auto_mapping base_model_name_or_path inference_mode init_lora_weights lora_dropout peft_version revision runtime_config task_type
  corda_config eva_config loftq_config megatron_config megatron_core exclude_modules layers_pattern`.split(
    /\s+/,
  ),
);

const schema = z.looseObject({
  peft_type: z.literal('LORA'),
  r: z.int().min(1),
  lora_alpha: z.number().positive(),
  target_modules: z.union([z.string(), z.array(z.string())]),
  use_rslora: z.boolean().nullish(),
  bias: z.literal('none').nullish(),
});

const ADAPTER_CONFIG = 'adapter_config.json';
const ADAPTER_WEIGHTS = 'adapter_model.safetensors';

/**
 * The adapter for drafts in the directory of a model; null where its family knows none, or this model has none.
 * @throws DataError naming what changes the computation and is not honoured; EnvironmentError where one file of it is missing
 */
export function findDraftAdapter(directory: string, family: Family): StoredAdapter | null {
  const { adapter } = family.folder;
  if (adapter === undefined) return null;
  const folder = join(directory, adapter.folder);
  if (!existsSync(folder)) return null;
  const path = join(folder, ADAPTER_CONFIG);
  const stated = readJsonAs(path, schema);
  const {
    peft_type: _,
    r: rank,
    lora_alpha: alpha,
    target_modules: targets,
    use_rslora: root,
    ...rest
  } = stated;
  if ([targets].flat().join() !== adapter.target)
    throw new DataError(
      `${path}: target_modules ${[targets].flat().join(', ')}: only ${adapter.target} is supported, and more would change the drafts`,
    );
  for (const [key, value] of Object.entries(rest))
    if (key !== 'bias' && !INERT.has(key) && !isEmpty(value))
      throw new DataError(
        `${path}: ${key} ${JSON.stringify(value)} is not supported, and would change the drafts`,
      );
  const weightsPath = join(folder, ADAPTER_WEIGHTS);
  if (!existsSync(weightsPath))
    throw new EnvironmentError(`${weightsPath} is missing, and ${ADAPTER_CONFIG} beside it describes it`);
  return { rank, weightsPath, scale: alpha / (root === true ? Math.sqrt(rank) : rank) };
}

function isEmpty(value: unknown): boolean {
  if (value === null || value === false || value === '') return true;
  return typeof value === 'object' && Object.keys(value).length === 0;
}

/** What `findDraftAdapter` reads; the scale of a model that was loaded is in its weights. */
export function draftAdapterConfig({ rank }: DraftAdapter, target: string): Record<string, unknown> {
  return {
    peft_type: 'LORA',
    r: rank,
    lora_alpha: rank,
    lora_dropout: 0,
    bias: 'none',
    target_modules: [target],
    inference_mode: true,
  };
}

/** Where an adapter's files go. */
export function adapterFiles(
  directory: string,
  folder: string,
): { readonly config: string; readonly weights: string } {
  return {
    config: join(directory, folder, ADAPTER_CONFIG),
    weights: join(directory, folder, ADAPTER_WEIGHTS),
  };
}

/** Weights with the scale of an adapter in its second matrix, which then is f32. */
export function withAdapterScale(source: WeightSource, scale: number): WeightSource {
  const scaled = (id: string): boolean => scale !== 1 && isOfAdapter(id) && id.includes('_lora_b.');
  const read = async (id: string): Promise<Float32Array> => {
    const values = await source.read(id);
    return scaled(id) ? values.map((value) => scale * value) : values;
  };
  const bytes = async (id: string): Promise<Uint8Array> => {
    const { buffer, byteOffset, byteLength } = await read(id);
    return new Uint8Array(buffer, byteOffset, byteLength);
  };
  return {
    label: source.label,
    names: () => source.names(),
    info(id) {
      const info = source.info(id);
      if (info === undefined || !scaled(id)) return info;
      return { shape: info.shape, dtype: 'f32', bytes: 4 * info.shape.reduce((a, b) => a * b, 1) };
    },
    read,
    readRaw: (id) => (scaled(id) ? bytes(id) : source.readRaw(id)),
    async readRows(id, first, count) {
      if (!scaled(id)) return rowsOf(source, id, first, count);
      const width = source.info(id)?.shape[1] ?? 1;
      return (await bytes(id)).subarray(4 * first * width, 4 * (first + count) * width);
    },
    place: (id) => (scaled(id) ? undefined : source.place?.(id)),
    files: source.files,
    close: () => source.close(),
  };
}
