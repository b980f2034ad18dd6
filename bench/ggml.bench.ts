/**
 * One pass of a file on the ggml engine and on libllama through its C API, by turns, on as many threads. Goal: at least
 * 1.0 x llama.cpp with logits of all rows, 1.15 x where a pass asks for one row of 32. Without DLLM_BENCH_GGUF (files, with
 * commas between) the file is a synthetic LLaDA of 1.39 G parameters in Q4_0. DLLM_BENCH_THREADS, DLLM_BENCH_ROUNDS.
 */
import { join } from 'node:path';
import { bench, describe } from 'vitest';
import { writeModelGguf } from '../src/model/formats/convert.js';
import { syntheticShapes } from '../src/model/synthetic/shapes.js';
import { syntheticWeights } from '../src/model/synthetic/weights.js';
import { passTable } from './ggml/pass-table.js';
import { directory } from './ort/common.js';

const ONCE = { iterations: 1, warmupIterations: 0, time: 0, warmupTime: 0 };

async function synthetic(): Promise<string> {
  const config = syntheticShapes('llada', '1b');
  const path = join(directory, 'llada-1b-q4_0.gguf');
  const none = new Map([['tokenizer.ggml.model', { type: 'string', value: 'none' } as const]]);
  await writeModelGguf(config, syntheticWeights(config, 'q4_0', 1), path, 'q4_0', none);
  return path;
}

const paths = process.env.DLLM_BENCH_GGUF?.split(',') ?? [await synthetic()];

describe('one pass beside llama.cpp', () => {
  for (const path of paths) bench(path, async () => console.log(`\n${path}\n${await passTable(path)}`), ONCE);
});
