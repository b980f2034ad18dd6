import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { DataError, UsageError } from '../../errors.js';
import { readJson, readJsonAs } from '../../util/read-file.js';
import type { ModelConfig } from '../config.js';
import type { Family } from '../families/family.js';
import { type Architecture, FAMILIES, familyOf } from '../families/index.js';
import { type FactName, factsOf } from '../families/shared/facts.js';
import { keyOf, readKeys, writeKeys } from '../families/shared/keys.js';
import { publishedTokens } from '../presets.js';
import { completeConfig, optionalWeights } from './complete-config.js';
import { addedTokenOf } from './folder-text.js';
import { ROPE_FACTORS } from './rope-factors.js';

/** A `config.json` whose family is known. */
export interface HfConfig {
  readonly family: Family<Architecture>;
  readonly entries: Readonly<Record<string, unknown>>;
  /** What errors call it. */
  readonly label: string;
  /** The id that files beside it give to a token of one of these texts. */
  readonly maskByText?: (texts: readonly string[]) => number | undefined;
}

/** @throws EnvironmentError when it cannot be read; DataError naming what was found in place of a known family */
export function readHfConfig(path: string): HfConfig {
  return {
    ...recogniseHfConfig(readJson(path), path),
    maskByText: (texts) => addedTokenOf(dirname(path), texts),
  };
}

/** @throws DataError naming what was found in place of a known family */
export function recogniseHfConfig(json: unknown, label: string): HfConfig {
  if (typeof json !== 'object' || json === null) throw new DataError(`${label}: not a JSON object`);
  const entries = json as Readonly<Record<string, unknown>>;
  const family = FAMILIES.find(({ folder }) => folder.recognises(entries));
  if (family !== undefined) return { family, entries, label };
  const known = FAMILIES.map(({ folder }) => folder.modelType).join(', ');
  throw new DataError(`${label}: model_type ${String(entries.model_type)} is not supported (${known})`);
}

/**
 * The model that a `config.json` describes.
 * @param has whether a weight is in the file, which has the last word on optional ones; without it the keys have
 * @param generationEnds further end tokens, of `generation_config.json`
 * @throws DataError naming the key that is wrong
 */
export function parseHfConfig(
  { family, entries, label, maskByText }: HfConfig,
  name: string,
  has?: (id: string) => boolean,
  generationEnds?: readonly number[],
): ModelConfig {
  const { keys, required = [] } = family.folder;
  const stated = readKeys(keys, entries, label);
  const origin = { label, keyOf: (fact: FactName) => keyOf(keys, fact, entries) ?? fact };
  const absent = required.find(
    (fact) => stated[fact] === undefined && !(fact === 'ropeShare' && stated.ropeDims),
  );
  if (absent !== undefined)
    throw new DataError(
      `${label}: ${origin.keyOf(absent)} is missing, and what a ${family.name} does without it is not known`,
    );
  const outside = generationEnds?.find((id) => stated.vocab !== undefined && id >= stated.vocab);
  if (outside !== undefined)
    throw new DataError(
      `${join(dirname(label), GENERATION)}: eos_token_id ${outside} is outside the vocabulary of ${stated.vocab}`,
    );
  const facts = {
    ...publishedTokens(family, stated.vocab),
    ...stated,
    ...(stated.endIds === undefined && generationEnds === undefined
      ? {}
      : { endIds: [...(stated.endIds ?? []), ...(generationEnds ?? [])] }),
    ...(has === undefined ? {} : optionalWeights(family, stated, has, origin)),
  };
  const { masks } = family.text;
  if (facts.maskId !== undefined || masks.length === 0) return completeConfig(family, facts, name, origin);
  const maskId = maskByText?.(masks);
  if (maskId === undefined)
    throw new DataError(
      `${label}: ${origin.keyOf('maskId')} is missing, and no tokenizer beside it has ${masks.join(' or ')}: add its id`,
    );
  return completeConfig(family, { ...facts, maskId }, name, origin);
}

const GENERATION = 'generation_config.json';

const generationSchema = z.looseObject({
  eos_token_id: z.union([z.number(), z.array(z.number())]).nullish(),
});

/**
 * End tokens that a `generation_config.json` adds: published models name some there and nowhere else.
 * @throws DataError for damaged content
 */
export function readGenerationEnds(directory: string): readonly number[] {
  const path = join(directory, GENERATION);
  if (!existsSync(path)) return [];
  return [readJsonAs(path, generationSchema).eos_token_id ?? []].flat();
}

/**
 * `config.json` of a model: what `parseHfConfig` reads, in the keys of its family.
 * @throws UsageError for a model that no key can describe
 */
export function configToHf(config: ModelConfig): Record<string, unknown> {
  const { modelClass, modelType, keys } = familyOf(config.arch).folder;
  if (config.ropeScaling?.kind === 'factors')
    throw new UsageError(
      `${config.name}: config.json has no key for its ${ROPE_FACTORS}, and they fit no known scaling`,
    );
  return {
    architectures: [modelClass],
    model_type: modelType,
    ...writeKeys(keys, factsOf(config)),
  };
}
