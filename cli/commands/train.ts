import { z } from 'zod';
import { UsageError } from '../../src/errors.js';
import { taskOfData } from '../../src/train/own-data.js';
import { saveTrained } from '../../src/train/save-trained.js';
import { openTaskFile } from '../../src/train/task-file.js';
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
    data: path(
      'questions or dialogues (JSON Lines) in place of the problems, in their vocabulary and lengths',
    ),
    task: path('a task of your own: its name, examples and vocabulary'),
    seed: z.int().min(0).default(7).describe('seed of weights, problems and masks'),
    backend: z.enum(['wasm', 'cpu']).default('wasm').describe('tfjs backend'),
    out: path('write model.gguf, tokenizer.json and loss.json there; heldout.jsonl of a --task', 'dir'),
  },
  effects: [
    { options: ['set'], when: ({ task }) => task === undefined, because: 'the lengths are those of --task' },
  ],
  notes: `The shipped weights were made by the PyTorch recipe in tools/train; this path runs the same operator graph.

--data FILE has "prompt" or "question" with "answer" or "target", or "messages": every turn of the assistant is learned,
behind the turns before it.

--task FILE is JSON: {"name": "reverse", "data": "pairs.jsonl"}, or with a generator in place of data
  {"words": {"animal": ["ant", "bat", "cat", "owl"]},
   "forms": [{"prompt": "flip {x: 2-3 animal}", "answer": "{x reverse}"},
             {"prompt": "{a: 0-9} plus {b: 0-9}", "answer": "{a + b}"}]}
Slots of a prompt draw ({x: animal}, {x: 3 animal}, {a: 0-9}), all others use: {x}, {x reverse|sort|first|last|count}, {a + b},
{a - b}, {a * b}. Also: "count" and "seed" of a generator, "canvas" (positions of an answer), "heldOut" (share that is
never trained on: 0.1). Its words are the vocabulary.`,
  examples: [
    'train --steps 50',
    'train --steps 500 --out /tmp/model && dllm-npu generate --model /tmp/model/model.gguf --problem 0',
    'train --task reverse.json --steps 2000 --out own && dllm-npu quality --model own/model.gguf --data own/heldout.jsonl --gen-length 32',
  ],
  async run(ctx, { out, data, task: taskFile, ...request }) {
    const { hidden, heads, steps } = request;
    // The engine rotates halves of a head, so a head has an even width.
    if (hidden % heads !== 0 || (hidden / heads) % 2 !== 0) {
      throw new UsageError(`--heads ${heads} does not split --hidden ${hidden} into heads of even width`);
    }
    checkWritableDirectory(out);
    if (data !== undefined && taskFile !== undefined) throw new UsageError('give --data or --task, not both');
    const own = data === undefined ? undefined : taskOfData(data, request.set);
    const task = taskFile === undefined ? own : openTaskFile(taskFile);
    if (task !== undefined)
      ctx.print(
        `${task.name}: ${task.examples.length} examples, ${task.heldOut.length} held out, answers of ${task.canvas} positions`,
      );
    const bar = progressBar(ctx, 'steps');
    const began = performance.now();
    const trained = await trainModel({ ...request, task, signal: ctx.signal }, ({ step, loss }) => {
      bar.update(step, steps);
      if (step === 1 || step % 10 === 0) ctx.print(`step ${step}  loss ${loss.toFixed(4)}`);
    }).finally(() => bar.stop());
    // What was trained so far is not what was asked for: nothing is written after Ctrl-C.
    ctx.signal.throwIfAborted();
    const seconds = (performance.now() - began) / 1000;
    ctx.data({ ...request, data, task: taskFile, losses: trained.losses, seconds, out });
    ctx.print(`${steps} steps in ${seconds.toFixed(1)} s, last loss ${trained.losses.at(-1)?.toFixed(4)}`);
    if (out === undefined) return;
    await saveTrained(out, trained);
    const kept = task !== undefined && task.heldOut.length > 0 ? ', heldout.jsonl' : '';
    ctx.note(`written to ${out}: model.gguf, tokenizer.json, loss.json${kept}`);
  },
});
