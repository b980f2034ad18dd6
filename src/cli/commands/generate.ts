import { dirname } from 'node:path';
import type { Command } from 'commander';
import type { Canvas } from '../../decode/types.js';
import { cooperative } from '../../engine/cooperative.js';
import type { LoadedModel } from '../../model/load.js';
import type { Tokenizer } from '../../model/tokenizer.js';
import { checkWritableDirectory } from '../../util/check-writable.js';
import { printAnswer } from '../answer.js';
import { type CostOptions, costOptions, openMachine } from '../cost-options.js';
import type { Context } from '../io.js';
import { integer, number } from '../options.js';
import { progressBar } from '../progress.js';
import { requireTokenizer } from '../prompt.js';
import { chooseTask, type Task } from '../task.js';
import { Watcher } from '../watch.js';

interface GenerateOptions extends Omit<CostOptions, 'profile'> {
  readonly policy: string;
  readonly model: string;
  readonly problem?: number;
  readonly seed: number;
  readonly genLength: number;
  readonly blockLength?: number;
  readonly engine: string;
  readonly backend: string;
  readonly machine?: string;
  readonly watch?: boolean;
  readonly fps: number;
  readonly trace?: string;
}

export function registerGenerate(program: Command, context: () => Context): void {
  const generate = program
    .command('generate')
    .description('decode one prompt with a policy; --watch shows the canvas denoise')
    .argument('[prompt]', 'text of the prompt (or --problem)')
    .option('--policy <name>', 'decoding policy, see `policies`', 'llada.cpp')
    .option('--model <name>', 'shipped model, directory or .gguf file', 'tiny-llada')
    .option('--problem <n>', 'take held-out problem n of the shipped task, and score the answer', integer(0))
    .option('--seed <n>', 'seed of the problems', integer(0), 1)
    .option('--gen-length <n>', 'positions to generate', integer(1), 128)
    .option('--block-length <n>', "positions per block (default: the policy's)", integer(1))
    .option('--engine <name>', 'engine: tfjs', 'tfjs')
    .option('--backend <name>', 'backend of the engine: wasm, cpu', 'wasm')
    .option('--watch', 'show the canvas step by step')
    .option('--fps <n>', 'steps per second under --watch', number(0.1, 1000), 8)
    .option('--trace <file>', 'write the trace (JSON Lines)')
    .option('--machine <profile>', 'time the decode on this modelled chip; the options below say how');
  for (const option of costOptions()) if (option.long !== '--profile') generate.addOption(option);
  generate
    .addHelpText(
      'after',
      '\nExamples:' +
        '\n  $ dllm-npu generate --problem 3 --policy llada.cpp --watch' +
        '\n  $ dllm-npu generate "flip 2 4 8 1 9 ; count dog : dog dog" --policy block-kv' +
        '\n  $ dllm-npu generate --problem 3 --machine sm8750 --trace run.jsonl --json',
    )
    .action(async (prompt: string | undefined, options: GenerateOptions) => {
      await run(context(), await chooseTask(prompt, options.problem, options.seed), options);
    });
}

async function run(ctx: Context, task: Task, options: GenerateOptions): Promise<void> {
  const { decode } = await import('../../decode/session.js');
  const { fileSha256, loadModel } = await import('../../model/load.js');
  const { encodePrompt } = await import('../../model/prompt.js');
  if (options.trace !== undefined) checkWritableDirectory(dirname(options.trace));
  const { policy, timer } = await openPolicy(options);
  const model = await loadModel(options.model);
  const engine = await openEngine(model, options);
  const tokenizer = requireTokenizer(model);
  const watcher = options.watch ? openWatcher(ctx, options, model, tokenizer) : undefined;
  const bar = options.watch ? undefined : progressBar(ctx, 'tokens');
  try {
    const request = {
      policy,
      engine: cooperative(engine, async (pass) => {
        if (pass.lane === 'main') await watcher?.pace();
      }),
      promptIds: encodePrompt(tokenizer, task.prompt),
      genLength: options.genLength,
      signal: ctx.signal,
      ...(timer === undefined ? {} : { timer }),
    };
    const result = await decode({
      ...request,
      onStep: (record, canvas) => {
        watcher?.show(canvas, record.timing?.endMs ?? null);
        bar?.update(decided(canvas), canvas.genLength);
      },
    });
    watcher?.close();
    bar?.stop();
    if (options.trace !== undefined) {
      const { traceOf, writeTrace } = await import('../../decode/trace.js');
      writeTrace(options.trace, traceOf(request, result, { modelHash: await fileSha256(model.weightsPath) }));
      ctx.note(`trace written to ${options.trace}`);
    }
    printAnswer(ctx, {
      ...{ config: model.config, tokenizer, task, policy: policy.name, engine: engine.name, result },
      machine: timer?.name ?? null,
      trace: options.trace,
    });
  } finally {
    watcher?.close();
    bar?.stop();
    engine.dispose();
    await model.weights.close();
  }
}

async function openPolicy(options: GenerateOptions) {
  const { policySpecByName } = await import('../../decode/policies.js');
  const { composePolicy } = await import('../../decode/compose.js');
  const named = policySpecByName(options.policy);
  const spec = options.blockLength === undefined ? named : { ...named, blockLength: options.blockLength };
  if (options.machine === undefined) return { policy: composePolicy(spec), timer: undefined };
  const { latencyTable } = await import('../../../experiments/latency-table.js');
  const costs = { ...options, profile: options.machine };
  // Lookahead asks the machine that it will run on, as in the ablation.
  const table = latencyTable(await openMachine(costs));
  return { policy: composePolicy(spec, { latencyTable: table }), timer: await openMachine(costs) };
}

async function openEngine(model: LoadedModel, options: GenerateOptions) {
  const { unknownName } = await import('../../util/nearest.js');
  const { createTfjsEngine } = await import('../../engine/tfjs/engine.js');
  const { TFJS_BACKENDS } = await import('../../engine/tfjs/backend.js');
  if (options.engine !== 'tfjs') throw unknownName('engine', options.engine, ['tfjs']);
  const backend = TFJS_BACKENDS.find((name) => name === options.backend);
  if (backend === undefined) throw unknownName('backend', options.backend, TFJS_BACKENDS);
  return createTfjsEngine(model.config, model.weights, { backend });
}

function openWatcher(
  ctx: Context,
  options: GenerateOptions,
  model: LoadedModel,
  tokenizer: Tokenizer,
): Watcher {
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
        options.policy,
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
