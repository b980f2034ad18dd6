import { parameterCount } from './closed-forms.js';
import type { ModelConfig } from './config.js';
import { graphFor } from './graph-cache.js';
import { resolveModelConfig, shippedModels } from './load.js';
import { precisionFor } from './precision.js';
import { presetNames, resolvePreset } from './presets.js';

/** A model that can be named. */
export interface ListedModel {
  readonly name: string;
  readonly family: ModelConfig['arch'];
  readonly attention: ModelConfig['attention'];
  readonly params: number;
  readonly layers: number;
  readonly hidden: number;
  readonly vocab: number;
  readonly contextLength: number;
  /** With weights here it can be decoded; the others are shapes, to be timed. */
  readonly weights: boolean;
}

/** Shipped models, then the shapes of published ones, in the order of their file. */
export async function listModels(): Promise<ListedModel[]> {
  const shipped = await Promise.all(
    shippedModels().map(async (name) => listed(await resolveModelConfig(name), true)),
  );
  return [...shipped, ...presetNames().map((name) => listed(resolvePreset(name), false))];
}

function listed(config: ModelConfig, weights: boolean): ListedModel {
  const { name, arch: family, attention, layers, hidden, vocab, contextLength } = config;
  const params = parametersOf(config);
  return { name, family, attention, params, layers, hidden, vocab, contextLength, weights };
}

/** Formulas count one layer and multiply: where layers differ, the operator graph has the weights. */
function parametersOf(config: ModelConfig): number {
  if (config.timed === undefined) return parameterCount(config).total;
  const shape = { rows: 1, kvSets: [], logitsRows: 1, masked: false };
  let total = 0;
  for (const { role, shape: extents } of graphFor(config, shape, precisionFor('f16')).tensors.values()) {
    if (role === 'weight') total += extents.reduce((product, extent) => product * extent, 1);
  }
  return total;
}
