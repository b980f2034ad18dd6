import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ModelConfig } from '../../src/model/config.js';
import { configToHf } from '../../src/model/formats/hf-config.js';
import { hfNameOf } from '../../src/model/formats/hf-names.js';
import { type SafetensorsTensor, writeSafetensors } from '../../src/model/formats/safetensors-write.js';
import type { WeightSource } from '../../src/model/weights.js';
import { temporaryDirectory } from './temporary-directory.js';

/** A Hugging Face folder before it is written, to be changed as others would have written it. */
export interface FolderDraft {
  readonly json: Record<string, unknown>;
  readonly tensors: Map<string, SafetensorsTensor>;
}

/** Writes a model as a folder of its family, by another way than the code that is tested writes it. */
export async function writeFolder(
  config: ModelConfig,
  weights: WeightSource,
  change: (draft: FolderDraft) => void = () => {},
): Promise<string> {
  const json = configToHf(config);
  const tensors = new Map<string, SafetensorsTensor>();
  for (const id of weights.names()) {
    const shape = weights.info(id)!.shape;
    const whole = hfNameOf(config.arch, id);
    // Q, K and V of one tensor: the first comes first, the others are put behind it.
    const before = whole === null ? undefined : tensors.get(whole);
    if (whole !== null && before !== undefined) {
      const values = async () =>
        Float32Array.from([...((await before.values()) as Float32Array), ...(await weights.read(id))]);
      const rows = before.shape[0] + shape[0];
      tensors.set(whole, { shape: [rows, ...shape.slice(1)], dtype: 'f32', values });
      continue;
    }
    if (whole !== null) {
      tensors.set(whole, { shape, dtype: 'f32', values: () => weights.read(id) });
      continue;
    }
    const size = shape[1] * shape[2];
    for (let expert = 0; expert < shape[0]; expert++) {
      const values = async () => (await weights.read(id)).slice(expert * size, (expert + 1) * size);
      tensors.set(hfNameOf(config.arch, id, expert)!, { shape: shape.slice(1), dtype: 'f32', values });
    }
  }
  change({ json, tensors });
  const directory = temporaryDirectory();
  await writeSafetensors(join(directory, 'model.safetensors'), tensors);
  writeFileSync(join(directory, 'config.json'), JSON.stringify(json));
  return directory;
}
