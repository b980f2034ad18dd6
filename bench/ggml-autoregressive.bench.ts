/**
 * Next-token decoding of SmolLM2-135M (`models fetch smollm2`) and of a synthetic Llama-3-8B in Q4_0, and a prompt of 512,
 * beside llama.cpp. Goal: 0.95 x a token, 1.0 x the prompt. One model a call: `-t SmolLM2`, `-t Llama`.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { bench, describe } from 'vitest';
import { cacheDirectory } from '../src/util/cache-directory.js';
import { autoregressiveTable } from './ggml/autoregressive.js';
import { benchFile } from './ggml/files.js';
import { ONCE } from './ggml/once.js';

const SMOLLM2 = join(cacheDirectory(), 'models/smollm2/SmolLM2-135M-Instruct.Q4_1.gguf');

describe('next tokens beside llama.cpp', () => {
  bench.skipIf(!existsSync(SMOLLM2))(
    'SmolLM2-135M',
    async () => console.log(await autoregressiveTable(SMOLLM2, 64)),
    ONCE,
  );
  bench(
    'Llama-3-8B',
    async () => console.log(await autoregressiveTable(await benchFile('llama', '8b', 'q4_0'), 16)),
    ONCE,
  );
});
