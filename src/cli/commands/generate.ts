import type { Command } from 'commander';
import type { DecodeResult } from '../../decode/session.js';
import { UsageError } from '../../errors.js';
import type { LoadedModel } from '../../model/load.js';
import { cooperative } from '../cooperative-engine.js';
import { type CostOptions, costOptions, openMachine } from '../cost-options.js';
import type { Context } from '../io.js';
import { integer, number } from '../options.js';
import { requireTokenizer } from '../prompt.js';
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
      await run(context(), prompt, options);
    });
}

async function run(ctx: Context, prompt: string | undefined, options: GenerateOptions): Promise<void> {
  const { policySpecByName } = await import('../../decode/policies.js');
  const { composePolicy } = await import('../../decode/compose.js');
  const { fileSha256, loadModel } = await import('../../model/load.js');
  const task = await problemOf(prompt, options);
  const spec = policySpecByName(options.policy);
  const policy = composePolicy(
    options.blockLength === undefined ? spec : { ...spec, blockLength: options.blockLength },
  );
  const timer =
    options.machine === undefined ? undefined : await openMachine({ ...options, profile: options.machine });
  const model = await loadModel(options.model);
  const engine = await openEngine(model, options);
  const text = tokenText(model);
  const watcher = options.watch
    ? new Watcher(ctx, {
        text: (token) => (token === model.config.eosId ? ' \u25a0' : text(token)),
        fps: options.fps,
        status: (canvas) => {
          const blocks = Math.ceil(canvas.genLength / canvas.blockLength);
          const decided = canvas.positions
            .slice(canvas.promptLength)
            .filter(({ state }) => state === 'V' || state === 'S');
          return `${policy.name}  step ${canvas.step}  block ${Math.min(canvas.block + 1, blocks)}/${blocks}  ${decided.length}/${canvas.genLength} tokens`;
        },
      })
    : undefined;
  try {
    const { encodePrompt } = await import('../../model/prompt.js');
    const ids = encodePrompt(requireTokenizer(model), task.prompt);
    const paced = cooperative(engine, async (pass) => {
      if (pass.lane === 'main') await watcher?.pace();
    });
    const { decode } = await import('../../decode/session.js');
    const request = {
      policy,
      engine: paced,
      promptIds: ids,
      genLength: options.genLength,
      signal: ctx.signal,
      ...(timer === undefined ? {} : { timer }),
    };
    const result = await decode({ ...request, onStep: (_, canvas) => watcher?.show(canvas) });
    if (options.trace !== undefined) {
      const { traceOf, writeTrace } = await import('../../decode/trace.js');
      writeTrace(options.trace, traceOf(request, result, { modelHash: await fileSha256(model.weightsPath) }));
      ctx.note(`trace written to ${options.trace}`);
    }
    watcher?.close();
    await answer(ctx, {
      model,
      task,
      options,
      result,
      engineName: engine.name,
      machine: timer?.name ?? null,
    });
  } finally {
    watcher?.close();
    engine.dispose();
    await model.weights.close();
  }
}

interface Task {
  readonly prompt: string;
  readonly expected: string | null;
  readonly score: (text: string) => Promise<boolean | null>;
}

async function problemOf(prompt: string | undefined, options: GenerateOptions): Promise<Task> {
  if (prompt !== undefined && options.problem !== undefined) {
    throw new UsageError('give a prompt or --problem, not both');
  }
  if (prompt !== undefined) return { prompt, expected: null, score: async () => null };
  if (options.problem === undefined) {
    throw new UsageError('no prompt: give a text, or --problem N for held-out problem N of the shipped task');
  }
  const { generateProblem } = await import('../../train/problems.js');
  const { scoreResponse } = await import('../../train/score.js');
  const problem = generateProblem(options.seed, options.problem, 'long', 'heldout');
  return {
    prompt: problem.prompt,
    expected: problem.response,
    score: async (text) => scoreResponse(problem, text).exact,
  };
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

/** Text of single tokens, remembered: the same few hundred are drawn again and again. */
function tokenText(model: LoadedModel): (token: number) => string {
  const tokenizer = requireTokenizer(model);
  const known = new Map<number, string>();
  return (token) => {
    let text = known.get(token);
    if (text === undefined) {
      text = tokenizer.decode([token], { skipSpecial: false });
      known.set(token, text);
    }
    return text;
  };
}

interface Answer {
  readonly model: LoadedModel;
  readonly task: Task;
  readonly options: GenerateOptions;
  readonly result: DecodeResult;
  readonly engineName: string;
  readonly machine: string | null;
}

async function answer(ctx: Context, given: Answer): Promise<void> {
  const { model, task, options, result, engineName, machine } = given;
  const { counters, tokens, remainingVisible, steps } = result;
  const end = tokens.indexOf(model.config.eosId);
  const text = requireTokenizer(model)
    .decode(end < 0 ? tokens : tokens.slice(0, end))
    .trim();
  const correct = await task.score(text);
  const simulatedMs = steps.at(-1)?.timing?.endMs ?? null;
  ctx.data({
    prompt: task.prompt,
    text,
    tokens,
    ...(task.expected === null ? {} : { expected: task.expected, correct }),
    policy: options.policy,
    model: model.config.name,
    engine: engineName,
    nfe: counters.nfe,
    steps: steps.length,
    forwards: { ...counters.forwards, sideRefreshes: counters.sideRefreshes },
    tokens_per_forward: { all: counters.tokensPerForward, text: counters.textTokensPerForward },
    drafts_accepted: counters.draftsAccepted,
    refreshes: { landed: counters.refreshesLanded, dropped: counters.refreshesDropped },
    remaining_visible: remainingVisible,
    ...(machine === null ? {} : { machine: { name: machine, simulated_s: (simulatedMs ?? 0) / 1000 } }),
    ...(options.trace === undefined ? {} : { trace: options.trace }),
  });
  ctx.print(text);
  ctx.print('');
  ctx.print(
    `${options.policy}: ${counters.nfe} forwards, ${counters.tokensPerForward.toFixed(2)} tokens per forward` +
      `${remainingVisible.length === 0 ? '' : `, ${remainingVisible.length} tokens still visible at the end`}`,
  );
  if (correct !== null) ctx.print(correct ? 'answer: right' : `answer: wrong, expected: ${task.expected}`);
  if (machine !== null && simulatedMs !== null) {
    ctx.print(`${(simulatedMs / 1000).toFixed(2)} s simulated on ${machine} (not a measurement)`);
  }
}
