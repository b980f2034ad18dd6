/**
 * Whole answers of 128 tokens in blocks of 32 on the 1.39 G file beside llama.cpp's diffusion decoding of the full canvas, every
 * pass of both run (half a minute and three minutes). Goal: block-kv 4 x, threshold and llada.cpp 15 x. One method a call:
 * `-t block-kv`. DLLM_BENCH_GGUF names another file, DLLM_BENCH_ROUNDS pairs (default 1).
 */
import { bench, describe } from 'vitest';
import { answerTable } from './ggml/answers.js';
import { benchFile } from './ggml/files.js';
import { ONCE } from './ggml/once.js';

describe('answers of 128 tokens beside llama.cpp', () => {
  for (const policy of ['block-kv', 'threshold', 'llada.cpp'])
    bench(
      policy,
      async () => {
        const path = process.env.DLLM_BENCH_GGUF ?? (await benchFile('llada', '1b', 'q4_0'));
        console.log(await answerTable(path, [policy]));
      },
      ONCE,
    );
});
