import { DataError } from '../../errors.js';
import { readJson } from '../../util/read-file.js';
import type { ModelConfig } from '../config.js';
import { FAMILIES, familyOf } from '../families/index.js';
import { factsOf } from '../families/shared/facts.js';
import { keyOf, readKeys } from '../families/shared/keys.js';
import { publishedTokens } from '../presets.js';
import { completeConfig } from './complete-config.js';

/**
 * A Hugging Face `config.json` of any family as a ModelConfig.
 * @throws EnvironmentError when it cannot be read; DataError naming the key that is wrong
 */
export async function readHfConfig(path: string, name: string): Promise<ModelConfig> {
  return parseHfConfig(readJson(path), name, path);
}

/** @throws DataError naming the key that is wrong */
export function parseHfConfig(json: unknown, name: string, label: string): ModelConfig {
  if (typeof json !== 'object' || json === null) throw new DataError(`${label}: not a JSON object`);
  const entries = json as Readonly<Record<string, unknown>>;
  const family = FAMILIES.find(({ folder }) => folder.recognises(entries));
  if (family === undefined) {
    const known = FAMILIES.map(({ folder }) => folder.modelType).join(', ');
    throw new DataError(`${label}: model_type ${String(entries.model_type)} is not supported (${known})`);
  }
  const { keys } = family.folder;
  const stated = readKeys(keys, entries, label);
  const facts = { ...publishedTokens(family, stated.vocab), ...stated };
  const origin = { label, keyOf: (fact: Parameters<typeof keyOf>[1]) => keyOf(keys, fact) };
  if (facts.maskId === undefined && family.text.masks.length > 0)
    throw new DataError(`${label}: ${origin.keyOf('maskId')} is missing`);
  return completeConfig(family, facts, name, origin);
}

/** `config.json` of a model: what `parseHfConfig` reads, in the keys of its family. */
export function configToHf(config: ModelConfig): Record<string, unknown> {
  const { modelClass, modelType, keys } = familyOf(config.arch).folder;
  const facts = factsOf(config);
  const written = Object.entries(keys).map(([key, rule]) => [key, rule.write(facts)] as const);
  return {
    architectures: [modelClass],
    model_type: modelType,
    ...Object.fromEntries(written.filter(([, value]) => value !== undefined)),
  };
}
