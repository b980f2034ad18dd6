/**
 * Whole answers of 128 tokens in blocks of 32 beside llama.cpp's diffusion decoding of the full canvas. Goal: block-kv 4 x,
 * threshold and llada.cpp 15 x. DLLM_BENCH_PASSES: canvases of llama.cpp that are run (default all 128, three minutes on the
 * 1.39 G file). DLLM_BENCH_SIZE=8b takes the 4.5 GB file; DLLM_BENCH_GGUF names another.
 */
import { bench, describe } from 'vitest';
import { answerTable } from './ggml/answers.js';
import { benchFile } from './ggml/files.js';
import { ONCE } from './ggml/once.js';

const SIZE = process.env.DLLM_BENCH_SIZE === '8b' ? '8b' : '1b';

describe('answers of 128 tokens', () => {
  bench(
    'beside llama.cpp',
    async () => {
      const path = process.env.DLLM_BENCH_GGUF ?? (await benchFile('llada', SIZE, 'q4_0'));
      console.log(await answerTable(path, ['block-kv', 'threshold', 'llada.cpp']));
    },
    ONCE,
  );
});
