import { z } from 'zod';
import { decode } from '../../experiments/library/decode.js';
import { machine } from '../../experiments/library/machine.js';
import { loadModel, type Model, withEngine } from '../../experiments/library/model.js';
import type { Canvas } from '../../src/decode/canvas/types.js';
import type { PolicySpec } from '../../src/decode/spec.js';
import { type Trace, writeTrace } from '../../src/decode/trace/trace.js';
import type { EngineName } from '../../src/engine/registry.js';
import { UsageError } from '../../src/errors.js';
import { PROMPT_FORMATS, promptIds } from '../../src/model/chat.js';
import { fileSha256 } from '../../src/model/load.js';
import { checkWritableFile } from '../../src/util/check-writable.js';
import { type Answer, answerData, printAnswer } from '../answer.js';
import { defineCommand } from '../command.js';
import { generationSpec } from '../generation-spec.js';
import {
  chip,
  chipEffects,
  engine,
  engineEffects,
  flag,
  genLength,
  model,
  path,
  problems,
  seed,
} from '../groups.js';
import type { Context } from '../io.js';
import { progressBar } from '../progress.js';
import { requireTokenizer } from '../prompt.js';
import { chooseTasks, type Task } from '../task.js';
import { checkIds, tokenIds } from '../token-ids.js';
import { Watcher } from '../watch.js';

const { profile: _, ...chipOfMachine } = chip;

const options = {
  policy: z
    .string()
    .optional()
    .describe('decoding policy, see `policies` (default: llada.cpp; autoregressive for a causal model)'),
  options: problems.options,
  model,
  prompt: z.string().optional().describe('text of the prompt').meta({ value: 'text' }),
  problem: z
    .int()
    .min(0)
    .optional()
    .describe('take held-out problem n of the shipped task, and score the answer'),
  seed,
  promptIds: tokenIds.optional().describe('token ids of the whole prompt: 1,2,3'),
  prompts: path('JSON Lines: field "prompt", or GSM8K\'s "question"'),
  template: z
    .enum(PROMPT_FORMATS)
    .optional()
    .describe('around a text: chat, plain, none (default: chat if the model has one)'),
  genLength,
  blockLength: z.int().min(1).optional().describe("positions per block (default: the policy's)"),
  steps: z.int().min(1).optional().describe('denoising steps in all, for policies with a quota per step'),
  watch: flag('show the canvas step by step'),
  fps: z.number().min(0.1).max(1000).default(8).describe('steps per second under --watch'),
  trace: path('write the trace (JSON Lines; above 4 MiB compressed, as FILE.gz)'),
  machine: z
    .string()
    .optional()
    .describe('time the decode on this modelled chip; the options below say how')
    .meta({ value: 'profile' }),
  ...engine,
  ...chipOfMachine,
};

type Options = z.output<z.ZodObject<typeof options>>;

export const command = defineCommand({
  arguments: {
    text: z
      .string()
      .optional()
      .describe('text of the prompt (or --prompt, --prompt-ids, --prompts, --problem)')
      .meta({ value: 'prompt' }),
  },
  options,
  effects: [
    ...engineEffects((input: { readonly engine: EngineName }) => [input.engine]),
    { options: ['fps'], when: ({ watch }) => watch, because: 'it is of --watch' },
    { options: ['seed'], when: ({ problem }) => problem !== undefined, because: 'it is of --problem' },
    {
      options: ['template'],
      when: ({ promptIds: ids }) => ids === undefined,
      because: '--prompt-ids are the whole prompt',
    },
    {
      options: ['costModel', 'quant', 'stack', 'memory', 'placement', 'numbers'],
      when: ({ machine: profile }) => profile !== undefined,
      because: 'nothing is timed without --machine',
    },
    ...chipEffects,
  ],
  examples: [
    'generate --problem 3 --policy llada.cpp --watch',
    'generate --problem 3 --policy llada.cpp --option commit.visible=0.8',
    'generate "flip 2 4 8 1 9 ; count dog : dog dog" --policy block-kv',
    'generate --model llada-8b.gguf --engine ort --threads 2 --prompt "What is 2 + 3?" --gen-length 32',
    'generate --model llada-8b.gguf --engine ort --prompts gsm8k.jsonl --json',
    'generate --model llama-3-8b.gguf --prompt-ids 128000,9906 --policy autoregressive',
    'generate --problem 3 --machine sm8750 --trace run.jsonl --json',
  ],
  async run(ctx, { text, ...asked }) {
    if (text !== undefined && asked.prompt !== undefined)
      throw new UsageError('give the prompt as argument or as --prompt, not both');
    checkWritableFile(asked.trace);
    const tasks = chooseTasks({ ...asked, prompt: text ?? asked.prompt });
    if (asked.trace !== undefined && tasks.length > 1)
      throw new UsageError('--trace records one decode: give one prompt');
    const opened = await loadModel(asked.model);
    try {
      await answerAll(ctx, opened, tasks, asked);
    } finally {
      await opened.close();
    }
  },
});

async function answerAll(ctx: Context, opened: Model, tasks: readonly Task[], asked: Options): Promise<void> {
  const spec = generationSpec(opened.config, asked);
  const prompts = encodeTasks(opened, tasks, asked);
  await startEngine(ctx, opened, asked);
  const bar = tasks.length > 1 ? progressBar(ctx, 'prompts', { log: true }) : undefined;
  try {
    const data: unknown[] = [];
    for (const [index, ids] of prompts.entries()) {
      bar?.update(index, prompts.length);
      const answer = await answerOne(ctx, { opened, spec, ids, task: tasks[index] }, asked);
      data.push(answerData(answer));
      printAnswer(ctx, answer);
    }
    ctx.data(asked.prompts === undefined ? data[0] : { prompts: data });
  } finally {
    bar?.stop();
  }
}

/** Token ids of every prompt, all checked before the first is answered. */
function encodeTasks(opened: Model, tasks: readonly Task[], asked: Options): (readonly number[])[] {
  const { config, chat } = opened;
  const format = asked.template ?? (chat ? 'chat' : 'plain');
  return tasks.map((task, index) => {
    const ids = task.ids ?? promptIds(requireTokenizer(opened), config.arch, format, task.prompt);
    checkIds(config, ids, asked.genLength, tasks.length > 1 ? `prompt ${index + 1}: ` : '');
    return ids;
  });
}

/** Starts the engine that the decodes will find: the first use of a file by ort converts it, with a progress bar. */
async function startEngine(ctx: Context, opened: Model, asked: Options): Promise<void> {
  const bar = progressBar(ctx, 'MB converted');
  const hooks = {
    signal: ctx.signal,
    onProgress: (done: number, total: number) => bar.update(Math.round(done / 1e6), Math.round(total / 1e6)),
    onFallback: (note: string) => ctx.note(note),
  };
  await withEngine(opened, asked, hooks, () => Promise.resolve()).finally(() => bar.stop());
}

interface Question {
  readonly opened: Model;
  readonly spec: PolicySpec;
  readonly ids: readonly number[];
  readonly task: Task;
}

async function answerOne(ctx: Context, question: Question, asked: Options): Promise<Answer> {
  const { opened, spec, ids, task } = question;
  const watcher = asked.watch ? openWatcher(ctx, asked, question) : undefined;
  const bar = asked.watch || asked.prompts !== undefined ? undefined : progressBar(ctx, 'tokens');
  const { engine, backend, threads, compute, genLength } = asked;
  const { machine: profile, costModel: shapes, quant, stack, memory, placement, numbers: set } = asked;
  try {
    const began = performance.now();
    const run = decode({
      model: opened,
      engine,
      backend,
      threads,
      compute,
      genLength,
      policy: spec,
      prompt: ids,
      timer:
        profile === undefined
          ? undefined
          : machine({ profile, shapes, quant, stack, memory, placement, set }),
      signal: ctx.signal,
    });
    for await (const { canvas, record } of run) {
      await watcher?.pace();
      watcher?.show(canvas, record.timing?.endMs ?? null);
      bar?.update(decided(canvas), canvas.genLength);
    }
    const { decode: result, trace, machine: timer } = await run.result;
    const seconds = (performance.now() - began) / 1000;
    if (asked.trace !== undefined) await saveTrace(ctx, asked.trace, trace, opened);
    return {
      config: opened.config,
      tokenizer: opened.tokenizer,
      task,
      policy: spec.name,
      engine: trace.header.engine,
      result,
      seconds,
      machine: timer?.name ?? null,
      trace: asked.trace,
    };
  } finally {
    watcher?.close();
    bar?.stop();
  }
}

async function saveTrace(ctx: Context, file: string, trace: Trace, { weightsPath }: Model): Promise<void> {
  const { header } = trace;
  const identified = { ...header, model: { ...header.model, hash: await fileSha256(weightsPath) } };
  ctx.note(`trace written to ${writeTrace(file, { ...trace, header: identified })}`);
}

function openWatcher(ctx: Context, { fps, machine: profile }: Options, { opened, spec }: Question): Watcher {
  const tokenizer = requireTokenizer(opened);
  // The same few hundred tokens are drawn again and again.
  const texts = new Map<number, string>([[opened.config.eosId, ' \u25a0']]);
  return new Watcher(ctx, {
    fps,
    text: (token) => {
      const known = texts.get(token) ?? tokenizer.decode([token], { skipSpecial: false });
      texts.set(token, known);
      return known;
    },
    status: (canvas, endMs) => {
      const blocks = Math.ceil(canvas.genLength / canvas.blockLength);
      return [
        spec.name,
        `step ${canvas.step}`,
        `block ${Math.min(canvas.block + 1, blocks)}/${blocks}`,
        `${decided(canvas)}/${canvas.genLength} tokens`,
        ...(endMs === null ? [] : [`${(endMs / 1000).toFixed(1)} s simulated on ${profile}`]),
      ].join('  ');
    },
  });
}

/** Generated positions that have a token. */
function decided(canvas: Canvas): number {
  return canvas.positions.slice(canvas.promptLength).filter(({ state }) => state === 'V' || state === 'S')
    .length;
}
