import { describe, expect, it } from 'vitest';
import { graphFor } from '../../src/model/graph-cache.js';
import { precisionFor } from '../../src/model/precision.js';
import { presetNames, resolvePreset } from '../../src/model/presets.js';

/**
 * origin: number of different parameters of the checkpoints on Hugging Face, as their safetensors totals and loaders
 * report it. A tied head that is stored twice is one tensor here (Qwen3 0.6B and 1.7B store 751.6 and 2031.7 M).
 */
const EXACT = {
  'llada-8b': 8_015_581_184,
  'dream-7b': 7_615_616_512,
  'llada-moe-7b-a1b': 7_356_880_896,
  'llama-3-8b': 8_030_261_248,
  'qwen3-0.6b': 596_049_920,
  'qwen3-1.7b': 1_720_574_976,
  'qwen3-4b': 4_022_468_096,
  'qwen3-8b': 8_190_735_360,
  'qwen3-14b': 14_768_307_200,
  'qwen3-30b-a3b': 30_532_122_624,
  'qwen2.5-0.5b': 494_032_768,
  'qwen2.5-1.5b': 1_543_714_304,
  'qwen2.5-3b': 3_085_938_688,
  'qwen2.5-7b': 7_615_616_512,
  'qwen2-1.5b': 1_543_714_304,
  'qwen2-7b': 7_615_616_512,
  'qwen1.5-1.8b': 1_836_828_672,
  'llama-3.2-1b': 1_235_814_400,
  'llama-3.2-3b': 3_212_749_824,
  'llama-3.1-8b': 8_030_261_248,
  'llama-2-7b': 6_738_415_616,
  'llama-2-13b': 13_015_864_320,
  'tinyllama-1.1b': 1_100_048_384,
  'mistral-7b': 7_241_732_096,
  'phi-3.5-mini': 3_821_079_552,
  'phi-4-mini': 3_836_021_760,
  'smollm3-3b': 3_075_098_624,
  'smollm2-135m': 134_515_008,
  'smollm2-1.7b': 1_711_376_384,
  'gemma-2b': 2_506_172_416,
  // rxnmapper 0.4.3's checkpoint without position ids and pooler.
  rxnmapper: 735_567,
  // The shapes of the models they were made of; SDAR's heads are untied.
  'sdar-1.7b': 1_720_574_976 + 151_936 * 2048,
  'sdar-4b': 4_022_468_096 + 151_936 * 2560,
  'sdar-8b': 8_190_735_360,
  'fast-dllm-v2-1.5b': 1_543_714_304,
  'fast-dllm-v2-7b': 7_615_616_512,
  'wedlm-7b': 7_615_616_512,
  'wedlm-8b': 8_190_735_360,
  'rnd1-base-30b-a3b': 30_532_122_624,
  'granite-3.1-8b': 8_170_848_256,
  'granite-3.3-2b': 2_533_539_840,
  'baichuan2-7b': 7_505_973_248,
  'internlm2-1.8b': 1_889_110_016,
};

/** origin: the same, with what the graph leaves out, or does as another shape of the same work; share that may differ. */
const CLOSE: Readonly<Record<string, readonly [parameters: number, share: number, why: string]>> = {
  'gemma-2-2b': [2_614_341_888, 1e-4, 'norms after attention and feed-forward'],
  'gemma-3-270m': [268_098_176, 1e-4, 'norms after attention and feed-forward'],
  'gemma-3-1b': [999_885_952, 1e-4, 'norms after attention and feed-forward'],
  'gemma-3-4b': [3_880_099_328, 1e-4, 'norms after attention and feed-forward; text model only'],
  'olmoe-1b-7b': [6_919_161_856, 1e-5, 'Q and K norms over all heads'],
  'phi-2': [2_779_683_840, 2e-3, 'three matrices of 6848 for two of 10240, no biases'],
  // Rounded where published: 7.46 B (model card), 110 M (llama2.c).
  'llada2-mini': [16e9, 0.03, 'rounded'],
  'nemotron-labs-diffusion-8b': [8.5e9, 0.02, 'rounded; as Ministral 3 8B without its image part'],
  'nemotron-labs-diffusion-8b-lora': [8.5e9, 0.02, 'the same; its adapter has 36 M'],
  'falcon3-7b': [7.46e9, 1e-3, 'rounded'],
  stories110m: [110e6, 5e-3, 'rounded'],
};

function parameters(name: string): number {
  const shape = { rows: 1, kvSets: [], logitsRows: 1, masked: false };
  const { tensors } = graphFor(resolvePreset(name), shape, precisionFor('f16'));
  let total = 0;
  for (const { role, shape: extents } of tensors.values())
    if (role === 'weight') total += extents.reduce((product, extent) => product * extent, 1);
  return total;
}

describe('weights of the operator graph', () => {
  it.each(Object.entries(EXACT))('%s has its %d parameters', (name, published) => {
    expect(parameters(name)).toBe(published);
  });

  it.each(Object.entries(CLOSE))('%s is as close as what is left out', (name, [published, share]) => {
    expect(Math.abs(parameters(name) / published - 1)).toBeLessThan(share);
  });

  it('no preset that is not checked', () => {
    const checked = new Set([...Object.keys(EXACT), ...Object.keys(CLOSE)]);
    // The others, which are only timed, are in build-graph.test.ts.
    const rest = presetNames().filter((name) => !checked.has(name));
    for (const name of rest) expect(resolvePreset(name).timed, name).toBeDefined();
  });
});
