/**
 * One pass of a synthetic LLaDA of 1.39 G parameters in Q4_K_M, beside llama.cpp. Goal: 1.0 x. Settings: ggml.bench.ts.
 */
import { bench, describe } from 'vitest';
import { benchFile } from './ggml/files.js';
import { ONCE } from './ggml/once.js';
import { passTable } from './ggml/pass-table.js';

const SHAPES = [
  [1, 1],
  [8, 8],
  [32, 32],
  [32, 1],
  [128, 128],
] as const;

describe('one pass in Q4_K_M beside llama.cpp', () => {
  bench(
    'LLaDA of 1.39 G parameters in Q4_K_M',
    async () => console.log(await passTable(await benchFile('llada', '1b', 'q4_k_m'), SHAPES)),
    ONCE,
  );
});
