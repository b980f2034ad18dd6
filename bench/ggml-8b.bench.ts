/**
 * One pass of a synthetic LLaDA-8B in Q4_0 (4.5 GB, written once; both copies need 10 GB of memory) beside llama.cpp.
 * Goal: 1.0 x, 1.15 x with logits of one row of 32. Settings: ggml.bench.ts.
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

describe('one pass of 8 B beside llama.cpp', () => {
  bench(
    'LLaDA-8B in Q4_0',
    async () => console.log(await passTable(await benchFile('llada', '8b', 'q4_0'), SHAPES)),
    ONCE,
  );
});
