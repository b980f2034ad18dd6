import { describe, expect, it } from 'vitest';
import { graphFor } from '../../src/model/graph-cache.js';
import { precisionKey } from '../../src/model/precision.js';
import { resolvePreset } from '../../src/model/presets.js';
import { QUANT_RECIPE_NAMES, type QuantRecipe, recipePrecision } from '../../src/model/quant-recipes.js';

const shape = { rows: 1, kvSets: [], logitsRows: 1, masked: false };

/** How many weights of a model have which format, by the part of their name. */
function formats(model: string, recipe: QuantRecipe, part: string): Record<string, number> {
  const config = resolvePreset(model);
  const { tensors } = graphFor(config, shape, recipePrecision(recipe, config));
  const found: Record<string, number> = {};
  for (const { id, role, dtype } of tensors.values())
    if (role === 'weight' && id.includes(part)) found[dtype] = (found[dtype] ?? 0) + 1;
  return found;
}

/** Counts as llama-quantize prints them of these models (src/llama-quant.cpp). */
describe('recipes of llama-quantize', () => {
  it('Q4_0: the head is Q6_K, tied or not', () => {
    expect(formats('qwen3-4b', 'q4_0-quantize', 'token_embd')).toEqual({ q6_k: 1 });
    expect(formats('qwen3-4b', 'q4_0-quantize', 'ffn_down')).toEqual({ q4_0: 36 });
    expect(formats('llama-3-8b', 'q4_0-quantize', 'token_embd')).toEqual({ q4_0: 1 });
    expect(formats('llama-3-8b', 'q4_0-quantize', 'output.weight')).toMatchObject({ q6_k: 1 });
  });

  it('Q4_0 with an importance matrix: Q4_1 in an eighth of the down projections', () => {
    expect(formats('qwen3-4b', 'q4_0-imatrix', 'ffn_down')).toEqual({ q4_0: 32, q4_1: 4 });
  });

  it('Q4_K_M: half of V and of down in Q6_K', () => {
    // 32 layers: 4 at either end and 8 of the 24 between.
    expect(formats('llama-3-8b', 'q4_k_m', 'attn_v')).toEqual({ q4_k: 16, q6_k: 16 });
    expect(formats('llama-3-8b', 'q4_k_m', 'ffn_down')).toEqual({ q4_k: 16, q6_k: 16 });
    expect(formats('llama-3-8b', 'q4_k_m', 'attn_q')).toEqual({ q4_k: 32 });
  });

  it('formats of 256 weights give way where rows are no multiple of it', () => {
    const config = { ...resolvePreset('qwen2.5-0.5b') };
    expect(config.hidden % 256).not.toBe(0);
    expect(formats('qwen2.5-0.5b', 'q4_k_m', 'attn_q.weight')).toEqual({ q5_0: config.layers });
    expect(formats('qwen2.5-0.5b', 'q4_k_m', 'token_embd')).toEqual({ q8_0: 1 });
  });

  it('every recipe builds a graph of every kind of model, and each is another precision', () => {
    for (const model of ['llada-8b', 'qwen3-0.6b', 'llada-moe-7b-a1b', 'lfm2-1.2b', 'qwen3.5-0.8b']) {
      const config = resolvePreset(model);
      const keys = QUANT_RECIPE_NAMES.map((name) => {
        const precision = recipePrecision(name, config);
        graphFor(config, shape, precision);
        return precisionKey(precision);
      });
      expect(new Set(keys).size).toBe(keys.length);
    }
  });
});
