import { dirname } from 'node:path';
import type { Command } from 'commander';
import type { Machine } from '../../sim/machine/machine.js';
import type { Canvas } from '../../src/decode/canvas/types.js';
import type { DecodingPolicy } from '../../src/decode/method/compose.js';
import type { PolicySpec } from '../../src/decode/spec.js';
import { cooperative } from '../../src/engine/cooperative.js';
import type { Engine } from '../../src/engine/engine.js';
import { UsageError } from '../../src/errors.js';
import type { LoadedModel } from '../../src/model/load.js';
import { checkWritableDirectory } from '../../src/util/check-writable.js';
import { type Answer, answerData, printAnswer } from '../answer.js';
import { type CostOptions, costOptions, openMachine } from '../cost-options.js';
import { addEngineOptions, type EngineOptions, openEngine } from '../engine-options.js';
import type { Context } from '../io.js';
import { integer, number } from '../numbers.js';
import { policyWithBlocks } from '../problem-options.js';
import { progressBar } from '../progress.js';
import { requireTokenizer } from '../prompt.js';
import { chooseTasks, type Task } from '../task.js';
import { checkIds, tokenIds } from '../token-ids.js';
import { Watcher } from '../watch.js';

interface GenerateOptions extends Omit<CostOptions, 'profile'>, EngineOptions {
  readonly policy?: string;
  readonly model: string;
  readonly prompt?: string;
  readonly problem?: number;
  readonly promptIds?: readonly number[];
  readonly prompts?: string;
  readonly template?: string;
  readonly seed: number;
  readonly genLength: number;
  readonly blockLength?: number;
  readonly steps?: number;
  readonly machine?: string;
  readonly watch?: boolean;
  readonly fps: number;
  readonly trace?: string;
}

export function registerGenerate(program: Command, context: () => Context): void {
  const generate = program
    .command('generate')
    .description('decode one prompt, or a file of them, with a policy; --watch shows the canvas denoise')
    .argument('[prompt]', 'text of the prompt (or --prompt, --prompt-ids, --prompts, --problem)')
    .option(
      '--policy <name>',
      'decoding policy, see `policies` (default: llada.cpp; autoregressive for a causal model)',
    )
    .option('--model <name>', 'shipped model, directory or .gguf file', 'tiny-llada')
    .option('--prompt <text>', 'text of the prompt')
    .option('--problem <n>', 'take held-out problem n of the shipped task, and score the answer', integer(0))
    .option('--seed <n>', 'seed of the problems', integer(0), 1)
    .option('--prompt-ids <list>', 'token ids of the whole prompt: 1,2,3', tokenIds)
    .option('--prompts <file>', 'JSON Lines: field "prompt", or GSM8K\'s "question"')
    .option('--template <name>', 'around a text: chat, plain, none (default: chat if the model has one)')
    .option('--gen-length <n>', 'positions to generate', integer(1), 128)
    .option('--block-length <n>', "positions per block (default: the policy's)", integer(1))
    .option('--steps <n>', 'denoising steps in all, for policies with a quota per step', integer(1))
    .option('--watch', 'show the canvas step by step')
    .option('--fps <n>', 'steps per second under --watch', number(0.1, 1000), 8)
    .option('--trace <file>', 'write the trace (JSON Lines; above 4 MiB compressed, as FILE.gz)')
    .option('--machine <profile>', 'time the decode on this modelled chip; the options below say how');
  addEngineOptions(generate);
  for (const option of costOptions()) if (option.long !== '--profile') generate.addOption(option);
  generate
    .addHelpText(
      'after',
      '\nExamples:' +
        '\n  $ dllm-npu generate --problem 3 --policy llada.cpp --watch' +
        '\n  $ dllm-npu generate "flip 2 4 8 1 9 ; count dog : dog dog" --policy block-kv' +
        '\n  $ dllm-npu generate --model llada-8b.gguf --engine ort --threads 2 --prompt "What is 2 + 3?" --gen-length 32' +
        '\n  $ dllm-npu generate --model llada-8b.gguf --engine ort --prompts gsm8k.jsonl --json' +
        '\n  $ dllm-npu generate --model llama-3-8b.gguf --prompt-ids 128000,9906 --policy autoregressive' +
        '\n  $ dllm-npu generate --problem 3 --machine sm8750 --trace run.jsonl --json',
    )
    .action(async (prompt: string | undefined, options: GenerateOptions) => {
      if (prompt !== undefined && options.prompt !== undefined)
        throw new UsageError('give the prompt as argument or as --prompt, not both');
      const asked = prompt === undefined ? options : { ...options, prompt };
      await run(context(), await chooseTasks(asked), options);
    });
}

async function run(ctx: Context, tasks: readonly Task[], options: GenerateOptions): Promise<void> {
  const { loadModel } = await import('../../src/model/load.js');
  if (options.trace !== undefined) checkWritableDirectory(dirname(options.trace));
  if (options.trace !== undefined && tasks.length > 1)
    throw new UsageError('--trace records one decode: give one prompt');
  const model = await loadModel(options.model);
  try {
    const opened = await openPolicy(options, model);
    const prompts = await encodeTasks(model, tasks, options);
    const engine = await openEngine(ctx, model, options);
    const bar = tasks.length > 1 ? progressBar(ctx, 'prompts', { log: true }) : undefined;
    try {
      const answers: Answer[] = [];
      for (const [index, ids] of prompts.entries()) {
        bar?.update(index, prompts.length);
        const answer = await answerOne(ctx, { ...opened, model, engine, task: tasks[index]!, ids }, options);
        answers.push(answer);
        printAnswer(ctx, answer);
      }
      const data = answers.map(answerData);
      ctx.data(options.prompts === undefined ? data[0] : { prompts: data });
    } finally {
      bar?.stop();
      engine.dispose();
    }
  } finally {
    await model.weights.close();
  }
}

/** Token ids of every prompt, all checked before the first is answered. */
async function encodeTasks(
  model: LoadedModel,
  tasks: readonly Task[],
  options: GenerateOptions,
): Promise<readonly (readonly number[])[]> {
  const { PROMPT_FORMATS, promptIds } = await import('../../src/model/chat.js');
  const { unknownName } = await import('../../src/util/nearest.js');
  const wanted = options.template ?? (model.chat ? 'chat' : 'plain');
  const format = PROMPT_FORMATS.find((name) => name === wanted);
  if (format === undefined) throw unknownName('template', wanted, PROMPT_FORMATS);
  return tasks.map((task, index) => {
    const ids = task.ids ?? promptIds(requireTokenizer(model), model.config.arch, format, task.prompt);
    checkIds(model.config, ids, options.genLength, tasks.length > 1 ? `prompt ${index + 1}: ` : '');
    return ids;
  });
}

interface Question {
  readonly policy: DecodingPolicy;
  readonly timer?: Machine;
  readonly model: LoadedModel;
  readonly engine: Engine;
  readonly task: Task;
  readonly ids: readonly number[];
}

async function answerOne(ctx: Context, question: Question, options: GenerateOptions): Promise<Answer> {
  const { decode } = await import('../../src/decode/method/session.js');
  const { policy, timer, model, engine, task, ids } = question;
  const watcher = options.watch ? openWatcher(ctx, options, question) : undefined;
  const bar = options.watch || options.prompts !== undefined ? undefined : progressBar(ctx, 'tokens');
  timer?.reset();
  try {
    const request = {
      policy,
      engine: cooperative(engine, async (pass) => {
        if (pass.lane === 'main') await watcher?.pace();
      }),
      promptIds: ids,
      genLength: options.genLength,
      signal: ctx.signal,
      ...(timer === undefined ? {} : { timer }),
    };
    const began = performance.now();
    const result = await decode({
      ...request,
      onStep: (record, canvas) => {
        watcher?.show(canvas, record.timing?.endMs ?? null);
        bar?.update(decided(canvas), canvas.genLength);
      },
    });
    const seconds = (performance.now() - began) / 1000;
    if (options.trace !== undefined) {
      const { fileSha256 } = await import('../../src/model/load.js');
      const { traceOf, writeTrace } = await import('../../src/decode/trace/trace.js');
      const modelHash = await fileSha256(model.weightsPath);
      const file = writeTrace(options.trace, traceOf(request, result, { modelHash }));
      ctx.note(`trace written to ${file}`);
    }
    return {
      config: model.config,
      tokenizer: model.tokenizer,
      task,
      policy: policy.name,
      engine: engine.name,
      result,
      seconds,
      machine: timer?.name ?? null,
      ...(options.trace === undefined ? {} : { trace: options.trace }),
    };
  } finally {
    watcher?.close();
    bar?.stop();
  }
}

async function openPolicy(options: GenerateOptions, { config }: LoadedModel) {
  const { composePolicy } = await import('../../src/decode/method/compose.js');
  const usual = config.attention === 'causal' ? 'autoregressive' : 'llada.cpp';
  const spec = await policySpec(options.policy ?? usual, options);
  if (options.machine === undefined) return { policy: composePolicy(spec) };
  const { latencyTable } = await import('../../sim/machine/latency-table.js');
  const costs = { ...options, profile: options.machine };
  // Lookahead asks the machine that it will run on, as in the ablation.
  const table = latencyTable(await openMachine(costs));
  return { policy: composePolicy(spec, { latencyTable: table }), timer: await openMachine(costs) };
}

/** The named policy with the block length and steps asked for. */
async function policySpec(
  policy: string,
  { blockLength, genLength, steps }: GenerateOptions,
): Promise<PolicySpec> {
  const spec = await policyWithBlocks(policy, blockLength);
  if (genLength % spec.blockLength !== 0) {
    throw new UsageError(
      `--gen-length ${genLength} is not a multiple of the block length ${spec.blockLength}: change one (--block-length)`,
    );
  }
  if (steps === undefined) return spec;
  const blocks = genLength / spec.blockLength;
  if (spec.commit.kind !== 'quota')
    throw new UsageError(`--steps: policy ${policy} takes as many steps as its confidences ask for`);
  if (steps % blocks !== 0 || steps / blocks > spec.blockLength) {
    throw new UsageError(
      `--steps ${steps} must be a multiple of the ${blocks} blocks and at most --gen-length ${genLength}`,
    );
  }
  return { ...spec, commit: { ...spec.commit, stepsPerBlock: steps / blocks } };
}

function openWatcher(ctx: Context, options: GenerateOptions, { model, policy }: Question): Watcher {
  const tokenizer = requireTokenizer(model);
  // The same few hundred tokens are drawn again and again.
  const texts = new Map<number, string>([[model.config.eosId, ' \u25a0']]);
  return new Watcher(ctx, {
    fps: options.fps,
    text: (token) => {
      const known = texts.get(token) ?? tokenizer.decode([token], { skipSpecial: false });
      texts.set(token, known);
      return known;
    },
    status: (canvas, endMs) => {
      const blocks = Math.ceil(canvas.genLength / canvas.blockLength);
      return [
        policy.name,
        `step ${canvas.step}`,
        `block ${Math.min(canvas.block + 1, blocks)}/${blocks}`,
        `${decided(canvas)}/${canvas.genLength} tokens`,
        ...(endMs === null ? [] : [`${(endMs / 1000).toFixed(1)} s simulated on ${options.machine}`]),
      ].join('  ');
    },
  });
}

/** Generated positions that have a token. */
function decided(canvas: Canvas): number {
  return canvas.positions.slice(canvas.promptLength).filter(({ state }) => state === 'V' || state === 'S')
    .length;
}
