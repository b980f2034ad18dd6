import { existsSync } from 'node:fs';
import { type Command, Option } from 'commander';
import { createColors } from 'picocolors';
import type { DiffusionOptions } from '../../hw/ggml/diffusion-cli.js';
import type { ProfileLog } from '../../hw/ggml/profile-log.js';
import type { GgmlResult, GgmlRun } from '../../hw/ggml/run.js';
import { DataError, EnvironmentError } from '../../src/errors.js';
import { readText } from '../../src/util/read-file.js';
import { formatTable } from '../../src/util/table.js';
import { addRunnerOptions, openRunner, type RunnerOptions } from '../device-runner.js';
import type { Context } from '../io.js';
import { integer, integerList, number } from '../numbers.js';
import { progressBar } from '../progress.js';

interface GgmlOptions extends RunnerOptions {
  readonly package: string;
  readonly model: string;
  readonly device: string;
  readonly profile: number;
  readonly threads?: number;
  readonly log?: string;
  readonly record?: string;
}

interface GenerateOptions extends GgmlOptions {
  readonly prompt: string;
  readonly length: number;
  readonly steps: number;
  readonly algorithm: NonNullable<DiffusionOptions['algorithm']>;
  readonly eps?: number;
  readonly blockLength?: number;
  readonly temperature: number;
  readonly seed: number;
}

interface BenchOptions extends GgmlOptions {
  readonly rows: number[];
  readonly depth: number;
  readonly repetitions: number;
}

const ABOUT =
  '\nNeeds llama.cpp built with its Snapdragon preset (docs/backend/snapdragon there) and a GGUF file. Tool, libraries and' +
  '\nmodel are sent by content, and removed afterwards unless --keep. What the DSP counted goes into the record; times of the' +
  '\nwhole run include the CPU, and are never given as times of the NPU.';

export function registerDeviceGgml(device: Command, context: () => Context): void {
  const ggml = device
    .command('ggml')
    .description("llama.cpp's Hexagon backend: a second opinion on whole generations and single operators");
  registerGenerate(ggml, context);
  registerBench(ggml, context);
  registerRead(ggml, context);
}

function addGgmlOptions(command: Command): Command {
  command
    .requiredOption('--package <dir>', 'installed llama.cpp: a folder with bin/ and lib/')
    .requiredOption('--model <file>', 'GGUF file')
    .option('--device <name>', "backend device, or none for the target's CPU", 'HTP0')
    .option('--profile <level>', '0 off, 1 operators, 2 with counters, 3 every thread', integer(0, 3), 1)
    .option('--threads <n>', 'threads of the CPU', integer(1))
    .option('--log <file>', "keep the tool's whole log here")
    .option('--record <file>', 'write the run record here');
  return addRunnerOptions(command);
}

function registerGenerate(ggml: Command, context: () => Context): void {
  const command = ggml
    .command('generate')
    .description('one generation with llama-diffusion-cli (LLaDA, Dream)')
    .requiredOption('--prompt <text>', 'prompt')
    .option('--length <n>', 'positions, prompt and answer together', integer(1), 128)
    .option('--steps <n>', 'denoising steps', integer(1), 64)
    .addOption(
      new Option('--algorithm <name>', 'which positions are committed')
        .choices(['origin', 'entropy', 'margin', 'random', 'confidence'])
        .default('confidence'),
    )
    .option('--block-length <n>', 'LLaDA: positions per block', integer(1))
    .option('--eps <x>', 'Dream: end of the schedule', number(0, 1))
    .option('--temperature <t>', 'temperature', number(0, 100), 0)
    .option('--seed <n>', 'seed', integer(0), 0);
  addGgmlOptions(command)
    .addHelpText(
      'after',
      `${ABOUT}\n\nExamples:` +
        '\n  $ dllm-npu device ggml generate --package pkg-snapdragon/llama.cpp --model llada-8b-q4_0.gguf \\' +
        '\n      --prompt "Why is the sky blue?" --block-length 32 --keep' +
        '\n  $ dllm-npu device ggml generate --runner local --device none --package /opt/llama.cpp --model dream.gguf \\' +
        '\n      --prompt "Hello" --eps 0.001 --json',
    )
    .action((options: GenerateOptions) => generate(context(), options));
}

function registerBench(ggml: Command, context: () => Context): void {
  const command = ggml
    .command('bench')
    .description('time of one forward pass per number of rows, with llama-bench')
    .option('--rows <list>', 'rows of a pass', integerList(1), [32, 64, 128])
    .option('--depth <n>', 'tokens already cached', integer(0), 0)
    .option('--repetitions <n>', 'times each is measured', integer(1), 5);
  addGgmlOptions(command)
    .addHelpText(
      'after',
      `${ABOUT}\n\nExamples:` +
        '\n  $ dllm-npu device ggml bench --package pkg-snapdragon/llama.cpp --model llada-8b-q4_0.gguf --rows 32,64,96,128' +
        '\n  $ dllm-npu device ggml bench --serial R5CX --package pkg --model m.gguf --profile 3 --log trace.log',
    )
    .action((options: BenchOptions) => bench(context(), options));
}

function registerRead(ggml: Command, context: () => Context): void {
  ggml
    .command('read')
    .description('read a log that a run with GGML_HEXAGON_PROFILE wrote: operators, units, dialect')
    .argument('<log>', 'log of a llama.cpp tool that ran with -v')
    .addHelpText(
      'after',
      '\nThe format of the profile changed three times; the dialect is told, and a log of an unknown one is refused.' +
        '\n\nExamples:\n  $ dllm-npu device ggml read trace.log\n  $ dllm-npu device ggml read trace.log --json',
    )
    .action((path: string) => read(context(), path));
}

async function generate(ctx: Context, options: GenerateOptions): Promise<void> {
  const { diffusionArgs, parseDiffusionText, parseDiffusionTiming } = await import(
    '../../hw/ggml/diffusion-cli.js'
  );
  const { prompt, length, steps, algorithm, eps, blockLength, temperature, seed, threads, device } = options;
  const args = (model: string) =>
    diffusionArgs(
      {
        model,
        prompt,
        length,
        steps,
        algorithm,
        temperature,
        seed,
        ...(eps === undefined ? {} : { eps }),
        ...(blockLength === undefined ? {} : { blockLength }),
        ...(threads === undefined ? {} : { threads }),
      },
      device,
    );
  // Wrong options are told before anything is sent.
  args(options.model);
  const result = await runTool(ctx, options, 'llama-diffusion-cli', args);
  const timing = parseDiffusionTiming(`${result.stdout}\n${result.stderr}`);
  const text = parseDiffusionText(result.stdout, result.stderr);
  ctx.data({ text, timing, ...summary(result), record: result.record });
  ctx.print(`${text}\n`);
  const perStep = timing.samplingStepMs === null ? '' : `, of it sampling ${timing.samplingStepMs} ms`;
  ctx.print(`${timing.totalMs} ms in all, ${timing.stepMs} ms per step${perStep} (CPU and NPU together)`);
  await report(ctx, options, result);
}

async function bench(ctx: Context, options: BenchOptions): Promise<void> {
  const { benchArgs, parseBench } = await import('../../hw/ggml/bench.js');
  const { rows, depth, repetitions, threads, device } = options;
  const args = (model: string) =>
    benchArgs({ model, rows, depth, repetitions, ...(threads === undefined ? {} : { threads }) }, device);
  const result = await runTool(ctx, options, 'llama-bench', args);
  const measured = parseBench(result.stdout);
  ctx.data({ bench: measured, ...summary(result), record: result.record });
  ctx.print(`${measured.modelType}, ${measured.backends}, build ${measured.build}`);
  ctx.print(
    formatTable(
      [
        { header: ['rows'], align: 'right' },
        { header: ['cached'], align: 'right' },
        { header: ['one pass', 'ms'], align: 'right' },
        { header: ['deviation', 'ms'], align: 'right' },
      ],
      measured.rows.map((row) => [
        String(row.rows),
        String(row.depth),
        row.meanMs.toFixed(2),
        row.deviationMs.toFixed(2),
      ]),
    ),
  );
  await report(ctx, options, result);
}

async function runTool(
  ctx: Context,
  options: GgmlOptions,
  tool: GgmlRun['tool'],
  args: GgmlRun['args'],
): Promise<GgmlResult> {
  const { runGgml } = await import('../../hw/ggml/run.js');
  const { ggmlPackage } = await import('../../hw/ggml/package.js');
  // What is missing here is told before a phone is looked for.
  ggmlPackage(options.package, tool);
  if (!existsSync(options.model)) throw new EnvironmentError(`${options.model} does not exist`);
  const { runner, keepIn } = await openRunner(ctx, options);
  const bar = progressBar(ctx, 'bytes sent');
  try {
    return await runGgml(runner, {
      tool,
      args,
      packageDirectory: options.package,
      model: options.model,
      device: options.device,
      profile: options.profile as GgmlRun['profile'],
      timeoutMs: options.timeout * 1000,
      signal: ctx.signal,
      onProgress: (done: number, total: number) => bar.update(done, total),
      ...(keepIn === undefined ? {} : { keepIn }),
      ...(options.log === undefined ? {} : { logPath: options.log }),
    });
  } finally {
    bar.stop();
  }
}

function summary({ session, target, profile }: GgmlResult) {
  return { target, session, profile: profile === null ? null : { ...profile, ops: profile.ops.length } };
}

async function report(ctx: Context, options: GgmlOptions, result: GgmlResult): Promise<void> {
  const { record, profile } = result;
  if (options.record !== undefined) {
    const { writeRunRecord } = await import('../../hw/record/run-record.js');
    writeRunRecord(options.record, record);
  }
  if (profile !== null) await printProfile(ctx, profile);
  const missing = record.missing.length === 0 ? '' : `; for npu-device it lacks ${record.missing.join(', ')}`;
  ctx.print(`\nclass ${record.executionClass}${missing}`);
}

async function printProfile(ctx: Context, profile: ProfileLog): Promise<void> {
  const { opTotals, unitCycles } = await import('../../hw/ggml/summary.js');
  const totals = opTotals(profile);
  ctx.print(`\n${profile.ops.length} operators, dialect ${profile.dialect}`);
  ctx.print(
    formatTable(
      [
        { header: ['operator'], align: 'left' },
        { header: ['extents'], align: 'left' },
        { header: ['types'], align: 'left' },
        { header: ['times'], align: 'right' },
        { header: ['ms', 'in all'], align: 'right' },
        { header: ['kcycles', 'each'], align: 'right' },
        { header: ['share'], align: 'right' },
      ],
      totals
        .slice(0, SHOWN_OPS)
        .map(({ op, dims, types, count, us, cycles, share }) => [
          op,
          dims,
          types,
          String(count),
          (us / 1000).toFixed(2),
          (cycles / count / 1000).toFixed(1),
          `${(100 * share).toFixed(1)} %`,
        ]),
      { styleHeader: createColors(ctx.color).bold },
    ),
  );
  if (totals.length > SHOWN_OPS) ctx.print(`and ${totals.length - SHOWN_OPS} kinds more (--json has all)`);
  const units = Object.entries(unitCycles(profile));
  if (units.length > 0) {
    ctx.print(`busy cycles: ${units.map(([unit, cycles]) => `${unit} ${cycles}`).join(', ')}`);
  }
  if (profile.unpairedEvents > 0) {
    ctx.print(
      `${profile.unpairedEvents} events without their other end: the trace buffer was full (GGML_HEXAGON_OPTRACE), busy cycles are lower bounds`,
    );
  }
}

const SHOWN_OPS = 30;

async function read(ctx: Context, path: string): Promise<void> {
  const { parseProfileLog } = await import('../../hw/ggml/profile-log.js');
  const { parseSessionLog } = await import('../../hw/ggml/session-log.js');
  const { opTotals, unitCycles } = await import('../../hw/ggml/summary.js');
  const text = readText(path);
  const profile = parseProfileLog(text);
  if (profile === null) {
    throw new DataError(
      `${path} has no profile of the Hexagon backend: run the tool with GGML_HEXAGON_PROFILE=1 and -v`,
    );
  }
  ctx.data({
    session: parseSessionLog(text),
    totals: opTotals(profile),
    units: unitCycles(profile),
    profile,
  });
  await printProfile(ctx, profile);
}
