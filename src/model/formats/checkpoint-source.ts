import { join } from 'node:path';
import { DataError } from '../../errors.js';
import type { ModelConfig } from '../config.js';
import { embeddingId, UNTIED_HEAD, weightShapes } from '../weight-ids.js';
import { noSuchWeight, rowCount, rowRanges, rowsOf, type WeightSource } from '../weights.js';
import { findDraftAdapter, withAdapterScale } from './draft-adapter.js';
import { parseHfConfig, readGenerationEnds, readHfConfig } from './hf-config.js';
import { hfNameOf } from './hf-names.js';
import { openSafetensors } from './safetensors-source.js';

export interface OpenCheckpoint {
  readonly config: ModelConfig;
  readonly weights: WeightSource;
}

/**
 * Opens a Hugging Face directory: `config.json` and safetensors. Weights are read by range.
 * @param name of the model
 * @throws EnvironmentError when it cannot be opened; DataError naming file, item and reason, also for a key or a tensor
 * that would change the computation and is not honoured
 */
export async function openCheckpoint(directory: string, name: string): Promise<OpenCheckpoint> {
  const described = readHfConfig(join(directory, 'config.json'));
  // What a key says of the weights (quantised, shared experts) explains more than the first tensor of no known name.
  const stated = parseHfConfig(described, name);
  const { family } = described;
  const adapter = findDraftAdapter(directory, family);
  const beside = adapter === null ? [] : [adapter.weightsPath];
  const stored = await openSafetensors(directory, family.name, weightShapes(stated), beside);
  const weights = adapter === null ? stored : withAdapterScale(stored, adapter.scale);
  try {
    const parsed = parseHfConfig(
      described,
      name,
      (id) => weights.info(id) !== undefined,
      readGenerationEnds(directory),
    );
    const config = adapter === null ? parsed : { ...parsed, draftAdapter: { rank: adapter.rank } };
    await refuseUnknownTensors(config, weights);
    return { config, weights };
  } catch (error) {
    await weights.close();
    throw error;
  }
}

async function refuseUnknownTensors(config: ModelConfig, weights: WeightSource): Promise<void> {
  const known = weightShapes(config);
  for (const id of weights.names()) {
    if (known.has(id)) continue;
    const name = hfNameOf(config.arch, id) ?? hfNameOf(config.arch, id, 0) ?? id;
    if (id !== UNTIED_HEAD) throw new DataError(`${weights.label}: ${name}: ${noSuchWeight(config)}`);
    // A tied head may be stored a second time.
    if (!(await isSame(weights, id, embeddingId())))
      throw new DataError(
        `${weights.label}: ${name}: the head is tied to the embedding, and this is another`,
      );
  }
}

async function isSame(weights: WeightSource, a: string, b: string): Promise<boolean> {
  const [one, other] = [weights.info(a), weights.info(b)];
  if (one === undefined || one.dtype !== other?.dtype || one.shape.join() !== other.shape.join())
    return false;
  for (const { first, count } of rowRanges(one.shape)) {
    const rows = await rowsOf(weights, a, first, count);
    if (Buffer.compare(rows, await rowsOf(weights, b, first, count)) !== 0) return false;
  }
  return rowCount(one.shape) > 0;
}
