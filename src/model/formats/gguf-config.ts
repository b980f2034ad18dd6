import { DataError, UsageError } from '../../errors.js';
import type { ModelConfig } from '../config.js';
import type { Family } from '../families/family.js';
import { type Architecture, familyOf, GGUF_ARCHITECTURES } from '../families/index.js';
import { type Facts, factsOf } from '../families/shared/facts.js';
import { GGUF_GLOBAL_KEYS, type GgufKeyRule, type GgufKeyTable } from '../families/shared/gguf-keys.js';
import { keyOf, type Origin, readKeys } from '../families/shared/keys.js';
import { publishedTokens } from '../presets.js';
import type { WeightDType } from './blocks/index.js';
import { completeConfig, optionalWeights } from './complete-config.js';
import type { GgufMetadata, GgufScalar, GgufValue } from './gguf-types.js';

/**
 * The model a GGUF file describes.
 * @param tensors shapes by tensor name: vocabulary size, biases, QK-norm and a tied head show only there
 * @throws DataError naming file, key and reason
 */
export function configFromGguf(
  metadata: GgufMetadata,
  tensors: ReadonlyMap<string, { readonly shape: readonly number[] }>,
  label: string,
): ModelConfig {
  const arch = metadata.get('general.architecture')?.value;
  const known = GGUF_ARCHITECTURES.find((name) => name === arch);
  if (known === undefined) {
    throw new DataError(
      `${label}: architecture ${String(arch)} is not supported (${GGUF_ARCHITECTURES.join(', ')})`,
    );
  }
  const family = familyOf(known);
  const { keys } = ggufOf(family.name);
  const [vocab] = tensors.get('token_embd.weight')?.shape ?? [];
  if (vocab === undefined) throw new DataError(`${label}: tensor token_embd.weight is missing`);
  const prefix = `${family.name}.`;
  const origin: Origin = {
    label,
    keyOf: (fact) => {
      const key = keyOf(keys, fact);
      return key === undefined ? (keyOf(GGUF_GLOBAL_KEYS, fact) ?? fact) : prefix + key;
    },
  };
  const stated: Facts = {
    ...readKeys(keys, entriesOf(metadata, prefix), label, prefix),
    ...readKeys(GGUF_GLOBAL_KEYS, globalEntries(metadata), label),
  };
  if (stated.vocab !== undefined && stated.vocab !== vocab)
    throw new DataError(
      `${label}: ${origin.keyOf('vocab')} ${stated.vocab}: token_embd.weight has ${vocab} rows`,
    );
  const has = (id: string) =>
    tensors.has(id) || (/\.attn_q\./.test(id) && tensors.has(id.replace('attn_q', 'attn_qkv')));
  const facts: Facts = {
    ...publishedTokens(family, vocab),
    // The published end tokens hold only where the file names none.
    ...((stated.eosId ?? stated.eotId ?? stated.eomId) === undefined ? {} : { endIds: undefined }),
    ...(stated.maskId === undefined ? maskByText(family, metadata) : {}),
    ...defaultScaling(stated),
    ...stated,
    vocab,
    tiedHead: !tensors.has('output.weight'),
    ...optionalWeights(family, stated, has, origin),
  };
  const name = metadata.get('general.name')?.value;
  return completeConfig(family, facts, typeof name === 'string' ? name : family.name, origin);
}

/** llama.cpp scales linearly by a factor whose type is not named, and by 1 without a factor. */
function defaultScaling({ scaleType, scaleFactor }: Facts): Facts {
  if (scaleType !== undefined) return { scaleFactor: 1 };
  return scaleFactor === undefined ? {} : { scaleType: 'linear' };
}

/** The mask of a vocabulary that names it only by its text. */
function maskByText({ text }: Family, metadata: GgufMetadata): Facts {
  const tokens = metadata.get('tokenizer.ggml.tokens')?.value;
  const at = Array.isArray(tokens) ? tokens.findIndex((token) => text.masks.includes(token)) : -1;
  return at < 0 ? {} : { maskId: at };
}

/** Keys without the prefix of an architecture; foreign namespaces mean nothing to anybody's computation. */
function globalEntries(metadata: GgufMetadata): Record<string, unknown> {
  return entriesOf(metadata, '', (key) => key in GGUF_GLOBAL_KEYS || /^(diffusion|adapter)\./.test(key));
}

/** Values of keys behind a prefix; those that are not wanted are not read. */
function entriesOf(
  metadata: GgufMetadata,
  prefix: string,
  isWanted: (key: string) => boolean = (key) => key.startsWith(prefix),
): Record<string, unknown> {
  return Object.fromEntries(
    [...metadata]
      .filter(([key]) => isWanted(key))
      .map(([key, entry]) => [key.slice(prefix.length), entry.value]),
  );
}

/** @throws UsageError for a family that llama.cpp, and so GGUF, does not have */
function ggufOf(arch: Architecture): NonNullable<Family['gguf']> {
  const { gguf } = familyOf(arch);
  if (gguf === null)
    throw new UsageError(`llama.cpp has no ${arch} models, and so no GGUF file can hold one: write a folder`);
  return gguf;
}

/** Whether the rows of a weight are in another order in GGUF files of a family than here. */
export function isRotaryReordered(arch: Architecture, id: string): boolean {
  return familyOf(arch).gguf?.rotaryPairs === 'interleaved' && /\.attn_[qk]\.(weight|bias)$/.test(id);
}

function stored(type: GgufKeyRule['type'], value: unknown): GgufValue {
  if (type === 'u32s') return { type: 'array', element: 'u32', value: value as readonly number[] };
  return { type, value: value as GgufScalar };
}

/** `general.file_type` of llama.cpp. */
const FILE_TYPES: Readonly<Record<WeightDType, number>> = {
  f32: 0,
  f16: 1,
  q4_0: 2,
  q4_1: 3,
  q8_0: 7,
  q5_0: 8,
  q5_1: 9,
  q2_k: 10,
  q3_k: 12,
  q4_k: 15,
  q5_k: 17,
  q6_k: 18,
  iq4_nl: 25,
  iq4_xs: 30,
  bf16: 32,
  mxfp4: 38,
};

/**
 * Metadata llama.cpp needs to load the model, tokenizer apart.
 * @throws UsageError for a model that no key of GGUF can describe
 */
export function configToGguf(config: ModelConfig, quant: WeightDType): Map<string, GgufValue> {
  if (config.orders !== undefined)
    throw new UsageError(
      `${config.name}: GGUF has no key for its tokens DELETE and SPLIT, which would be text then: write a folder`,
    );
  const { name } = familyOf(config.arch);
  const gguf = ggufOf(config.arch);
  const metadata = new Map<string, GgufValue>([
    ['general.architecture', { type: 'string', value: name }],
    ['general.name', { type: 'string', value: config.name }],
    ['general.file_type', { type: 'u32', value: FILE_TYPES[quant] }],
    ['general.quantization_version', { type: 'u32', value: 2 }],
  ]);
  const facts = factsOf(config);
  const put = (prefix: string, keys: GgufKeyTable) => {
    for (const [key, rule] of Object.entries(keys)) {
      const value = rule.write(facts);
      if (value !== undefined) metadata.set(prefix + key, stored(rule.type, value));
    }
  };
  put(`${name}.`, gguf.keys);
  put('', GGUF_GLOBAL_KEYS);
  return metadata;
}
