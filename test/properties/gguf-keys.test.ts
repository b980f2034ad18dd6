import { describe, expect, it } from 'vitest';
import type { ModelConfig } from '../../src/model/config.js';
import { type Architecture, GGUF_ARCHITECTURES } from '../../src/model/families/index.js';
import type { GgufValue } from '../../src/model/formats/gguf-types.js';
import { Random } from '../../src/score/random.js';
import { llamaKeys, llamaMissing, llamaTensors } from '../oracle/libllama.js';
import { NOT_IN_LLAMA_CPP, type RandomArch, randomConfig } from '../oracle/random-models.js';
import { type GgufDraft, verdictOf } from '../oracle/verdict.js';
import { temporaryDirectory } from '../support/temporary-directory.js';

/** Keys drawn per family, and half as many tensors; `npm run fuzz` draws as many as it is told, 2,000 at most. */
const DRAWS = Math.min(2000, Number(process.env.DLLM_FUZZ_RUNS ?? 20));
/** Of logits of order 1. */
const EQUAL = 1e-4;

const f32 = (value: number): GgufValue => ({ type: 'f32', value });
const u32 = (value: number): GgufValue => ({ type: 'u32', value });
const string = (value: string): GgufValue => ({ type: 'string', value });
const bool = (value: boolean): GgufValue => ({ type: 'bool', value });

function modelOf(arch: Architecture): ModelConfig {
  const config = randomConfig(arch as RandomArch, 3);
  return { ...config, vocab: 64, contextLength: 64, maskId: config.maskId === null ? null : 5 };
}

type Keys = Readonly<Record<string, GgufValue>>;

function setKeys({ metadata }: GgufDraft, arch: Architecture, keys: Keys): void {
  for (const [key, value] of Object.entries(keys)) metadata.set(`${arch}.${key}`, value);
}

const yarn = {
  'rope.scaling.type': string('yarn'),
  'rope.scaling.factor': f32(4),
  'rope.scaling.original_context_length': u32(16),
};

/** Keys that change the logits of every family. */
const HONOURED: Readonly<Record<string, Keys>> = {
  'a factor without a type': { 'rope.scaling.factor': f32(4) },
  'linear scaling': { 'rope.scaling.type': string('linear'), 'rope.scaling.factor': f32(4) },
  'the old name of the factor': { 'rope.scale_linear': f32(2) },
  YaRN: yarn,
  'YaRN from the context length': { 'rope.scaling.type': string('yarn'), 'rope.scaling.factor': f32(4) },
  'YaRN with another attention factor': { ...yarn, 'rope.scaling.attn_factor': f32(0.7) },
  'another base': { 'rope.freq_base': f32(1234) },
  'another epsilon': { 'attention.layer_norm_rms_epsilon': f32(0.1) },
};

/** Optional weights that llama.cpp has in a family. */
const WEIGHTS: Readonly<Record<string, readonly Partial<ModelConfig>[]>> = {
  llada: [{ qkvBias: true }],
  dream: [{ qkvBias: false }],
  'llada-moe': [{ qkvBias: true }],
  rnd1: [{ vocab: 96 }],
  llama: [{ qkvBias: true }, { outputBias: true }, { ffnBias: true }, { attention: 'bidirectional' }],
};

/** Keys whose value here makes llama.cpp end the process. */
const FATAL = new Set(['rope.dimension_count']);

describe
  .skipIf(llamaMissing !== null)
  .each(GGUF_ARCHITECTURES.filter((arch) => !NOT_IN_LLAMA_CPP.includes(arch)))(
  '%s: equal to llama.cpp or refused',
  (arch) => {
    const directory = temporaryDirectory();
    const config = modelOf(arch);
    const verdict = (overrides: Partial<ModelConfig>, change: (draft: GgufDraft) => void = () => {}) =>
      verdictOf({ ...config, ...overrides }, directory, change);
    /** The model as it is, asked once. */
    let asIs: ReturnType<typeof verdict> | undefined;
    const unchanged = () => {
      asIs ??= verdict({});
      return asIs;
    };

    it.each(Object.entries(HONOURED))('%s', async (_, keys) => {
      const plain = await unchanged();
      const changed = await verdict({}, (draft) => setKeys(draft, arch, keys));
      expect(changed.difference).toBeLessThan(EQUAL);
      expect(changed.ours).not.toEqual(plain.ours);
    });

    it.each(WEIGHTS[arch])('%j', async (overrides) => {
      const plain = await unchanged();
      const changed = await verdict(overrides);
      expect(changed.difference).toBeLessThan(EQUAL);
      expect(changed.ours).not.toEqual(plain.ours);
    });

    it('rope_freqs.weight', async () => {
      const half = config.headDim / 2;
      const factors = Float32Array.from({ length: half }, (_, i) => 1 + i);
      const { ours, difference } = await verdict({}, ({ tensors }) => {
        const bytes = async () => new Uint8Array(factors.buffer);
        tensors.set('rope_freqs.weight', { shape: [half], dtype: 'f32', bytes });
      });
      if (difference === null) expect(ours).toMatch(/does not divide the rotary frequencies/);
      else expect(difference).toBeLessThan(EQUAL);
    });

    it('keys of llama.cpp with any value', async () => {
      const random = new Random(arch.length);
      const keys = llamaKeys().filter((key) => !FATAL.has(key));
      expect(keys.length).toBeGreaterThan(100);
      const counts = { equal: 0, refused: 0, 'refused by llama.cpp': 0 };
      for (let draw = 0; draw < DRAWS; draw++) {
        const key = random.pick(keys);
        const value = random.pick([
          u32(0),
          u32(1),
          u32(2),
          u32(7),
          f32(0),
          f32(0.5),
          f32(3),
          bool(true),
          bool(false),
        ]);
        const { ours, theirs, difference } = await verdict({}, (draft) =>
          setKeys(draft, arch, { [key]: value }),
        );
        if (difference !== null) expect(difference, `${key} ${String(value.value)}`).toBeLessThan(EQUAL);
        if (typeof ours === 'string') counts.refused++;
        else counts[typeof theirs === 'string' ? 'refused by llama.cpp' : 'equal']++;
      }
      if (process.env.DLLM_FUZZ_RUNS !== undefined) console.log(arch, counts);
      expect(counts.refused).toBeGreaterThan(DRAWS / 2);
    });

    it('tensors of llama.cpp of any shape, in every layer', async () => {
      const random = new Random(arch.length);
      const names = llamaTensors();
      expect(names.length).toBeGreaterThan(100);
      const counts = { equal: 0, refused: 0, 'refused by llama.cpp': 0 };
      for (let draw = 0; draw < DRAWS / 2; draw++) {
        const name = `${random.pick(names)}.${random.pick(['weight', 'bias'])}`;
        const shape = random.pick([[config.hidden], [config.headDim], [config.hidden, config.hidden]]);
        const bytes = async () =>
          new Uint8Array(new Float32Array(shape.reduce((a, b) => a * b, 1)).fill(0.5).buffer);
        const { ours, theirs, difference } = await verdict({}, ({ tensors }) => {
          for (let layer = 0; layer < config.layers; layer++)
            tensors.set(`blk.${layer}.${name}`, { shape, dtype: 'f32', bytes });
        });
        if (difference !== null) expect(difference, `${name} ${shape}`).toBeLessThan(EQUAL);
        if (typeof ours === 'string') counts.refused++;
        else counts[typeof theirs === 'string' ? 'refused by llama.cpp' : 'equal']++;
      }
      if (process.env.DLLM_FUZZ_RUNS !== undefined) console.log(arch, 'tensors', counts);
      expect(counts.refused).toBeGreaterThan(DRAWS / 4);
    });
  },
);
