import { z } from 'zod';
import { UsageError } from '../../src/errors.js';
import { ownExamples } from '../../src/train/own-data.js';
import { saveTrained } from '../../src/train/save-trained.js';
import { trainModel } from '../../src/train/train.js';
import { checkWritableDirectory } from '../../src/util/check-writable.js';
import { defineCommand } from '../command.js';
import { path } from '../groups.js';
import { MAX_STEPS } from '../limits.js';
import { progressBar } from '../progress.js';

// Smoke runs: the largest of each together are 33 M parameters and a few GB of activations.
export const command = defineCommand({
  options: {
    steps: z.int().min(1).max(MAX_STEPS).default(100).describe('optimizer steps'),
    batch: z.int().min(1).max(64).default(8).describe('sequences per step'),
    layers: z.int().min(1).max(8).default(2).describe('layers'),
    hidden: z.int().min(2).max(512).default(64).describe('residual width'),
    heads: z.int().min(1).max(64).default(2).describe('attention heads; must divide the width'),
    ffn: z.int().min(1).max(2048).default(192).describe('feed-forward width'),
    set: z.enum(['short', 'long']).default('short').describe('problems'),
    data: path('JSON Lines of "prompt" and "answer" in place of the problems; --set has their lengths'),
    seed: z.int().min(0).default(7).describe('seed of weights, problems and masks'),
    backend: z.enum(['wasm', 'cpu']).default('wasm').describe('tfjs backend'),
    out: path('write model.gguf, tokenizer.json and loss.json there', 'dir'),
  },
  notes:
    'The shipped weights were made by the PyTorch recipe in tools/train; this path runs the same operator graph.',
  examples: [
    'train --steps 50',
    'train --steps 500 --out /tmp/model && dllm-npu generate --model /tmp/model/model.gguf --problem 0',
  ],
  async run(ctx, { out, data: file, ...request }) {
    const { hidden, heads, steps } = request;
    // The engine rotates halves of a head, so a head has an even width.
    if (hidden % heads !== 0 || (hidden / heads) % 2 !== 0) {
      throw new UsageError(`--heads ${heads} does not split --hidden ${hidden} into heads of even width`);
    }
    checkWritableDirectory(out);
    const data = file === undefined ? undefined : ownExamples(file, request.set);
    const bar = progressBar(ctx, 'steps');
    const began = performance.now();
    const trained = await trainModel({ ...request, data, signal: ctx.signal }, ({ step, loss }) => {
      bar.update(step, steps);
      if (step === 1 || step % 10 === 0) ctx.print(`step ${step}  loss ${loss.toFixed(4)}`);
    }).finally(() => bar.stop());
    // What was trained so far is not what was asked for: nothing is written after Ctrl-C.
    ctx.signal.throwIfAborted();
    const seconds = (performance.now() - began) / 1000;
    ctx.data({ ...request, data: file, losses: trained.losses, seconds, out });
    ctx.print(`${steps} steps in ${seconds.toFixed(1)} s, last loss ${trained.losses.at(-1)?.toFixed(4)}`);
    if (out === undefined) return;
    await saveTrained(out, trained);
    ctx.note(`written to ${out}: model.gguf, tokenizer.json, loss.json`);
  },
});
