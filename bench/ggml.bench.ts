/**
 * One pass of a file on the ggml engine and on libllama through its C API, by turns, on as many threads. Goal: at least
 * 1.0 x llama.cpp with logits of all rows, 1.15 x where a pass asks for one row of 32. Without DLLM_BENCH_GGUF (files, with
 * commas between) the file is a synthetic LLaDA of 1.39 G parameters in Q4_0. DLLM_BENCH_THREADS, DLLM_BENCH_ROUNDS,
 * DLLM_BENCH_SHAPES (32:1,128:128), DLLM_BENCH_DIR (where files of random weights stay).
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

describe('one pass beside llama.cpp', () => {
  bench(
    'LLaDA of 1.39 G parameters in Q4_0',
    async () => {
      const paths = process.env.DLLM_BENCH_GGUF?.split(',') ?? [await benchFile('llada', '1b', 'q4_0')];
      for (const path of paths) console.log(`\n${path}\n${await passTable(path, SHAPES)}`);
    },
    ONCE,
  );
});
