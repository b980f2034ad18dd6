import { loadavg } from 'node:os';
import { composePolicy } from '../../src/decode/method/compose.js';
import { decode } from '../../src/decode/method/session.js';
import { policySpecByName } from '../../src/decode/policies.js';
import type { Engine } from '../../src/engine/engine.js';
import { createGgmlEngine } from '../../src/engine/ggml/engine.js';
import { createTfjsEngine } from '../../src/engine/tfjs/engine.js';
import { openGguf } from '../../src/model/formats/gguf-source.js';
import { loadModel } from '../../src/model/load.js';
import { encodePrompt } from '../../src/model/prompt.js';
import { generateProblem } from '../../src/score/problems.js';
import { formatTable } from '../../src/util/table.js';
import { loadLlama } from '../../test/oracle/libllama.js';
import { columns, THREADS } from '../ort/common.js';

const GENERATED = 128;
const BLOCK = 32;

/** llama.cpp's canvases that are run; each computes the same rows, so that fewer stand for all. DLLM_BENCH_PASSES. */
const PASSES = Number(process.env.DLLM_BENCH_PASSES ?? GENERATED);

/**
 * Whole answers of 128 tokens in blocks of 32 beside llama.cpp's diffusion decoding, which runs the full canvas once for
 * every step. Random weights are sure of nothing, so that no method could commit several tokens: decisions are those of
 * the shipped model, whose passes the large file computes as well, in the same order. The time is the large file's
 * passes and the rules; the small model's is taken off. llama.cpp runs as many full canvases as the same method without
 * cache has steps: 128, or DLLM_BENCH_PASSES of them and the time of 128.
 */
export async function answerTable(path: string, policies: readonly string[]): Promise<string> {
  const { config, weights } = await openGguf(path);
  const big = await createGgmlEngine(config, weights, { threads: THREADS });
  const small = await loadModel('tiny-llada');
  const decides = await createTfjsEngine(small.config, small.weights);
  const promptIds = encodePrompt(small.tokenizer!, generateProblem(1, 0, 'long', 'heldout').prompt);
  const tokens = promptIds.length + GENERATED;
  const llama = (await loadLlama()).open(path, { tokens, threads: THREADS, asShipped: true });
  const canvas = [...promptIds, ...Array.from({ length: GENERATED }, () => small.config.maskId ?? 0)];
  let deciding = 0;
  const engine: Engine = {
    name: 'both',
    config: decides.config,
    run: async (pass) => {
      await big.run(pass);
      const began = performance.now();
      const result = await decides.run(pass);
      deciding += performance.now() - began;
      return result;
    },
    retain: (live) => {
      big.retain(live);
      decides.retain(live);
    },
    readKv: (ref) => decides.readKv(ref),
    dispose: () => {},
  };
  const before = loadavg()[0];
  llama.logits(canvas);
  let began = performance.now();
  for (let pass = 0; pass < PASSES; pass++) llama.logits(canvas);
  const theirs = ((performance.now() - began) * GENERATED) / PASSES;
  const lines: string[][] = [];
  for (const name of policies) {
    const policy = composePolicy({ ...policySpecByName(name), blockLength: BLOCK });
    deciding = 0;
    began = performance.now();
    const { counters, steps } = await decode({ policy, engine, promptIds, genLength: GENERATED });
    const ms = performance.now() - began - deciding;
    lines.push([
      name,
      seconds(ms),
      seconds(theirs),
      (theirs / ms).toFixed(2),
      `${steps.length}`,
      `${counters.logitsRows}`,
    ]);
  }
  for (const one of [big, decides]) one.dispose();
  llama.close();
  await Promise.all([weights.close(), small.weights.close()]);
  const head = columns(['', 'ggml engine, s', 'llama.cpp, s', 'x llama.cpp', 'steps', 'rows of logits']);
  return `prompt of ${promptIds.length} tokens, ${THREADS} threads, ${PASSES} of llama.cpp's ${GENERATED} canvases run, load ${before.toFixed(1)} before and ${loadavg()[0].toFixed(1)} after\n${formatTable(head, lines)}`;
}

function seconds(ms: number): string {
  return (ms / 1000).toFixed(1);
}
