import { mkdirSync } from 'node:fs';
import { type Command, Option } from 'commander';
import { createColors } from 'picocolors';
import type { ReplayResult } from '../../hw/qnn/replay.js';
import type { NetRunOptions } from '../../hw/qnn/tools-command.js';
import type { Trace } from '../../src/decode/trace/trace.js';
import { CheckError, UsageError } from '../../src/errors.js';
import type { LoadedModel } from '../../src/model/load.js';
import { checkWritableDirectory } from '../../src/util/check-writable.js';
import { formatTable } from '../../src/util/table.js';
import { addRunnerOptions, openRunner, type RunnerOptions } from '../device-runner.js';
import type { Context } from '../io.js';
import { integer, number } from '../numbers.js';
import { progressBar } from '../progress.js';

interface ReplayCommandOptions extends RunnerOptions {
  readonly model: string;
  readonly graphs: string;
  readonly backend: 'cpu' | 'htp';
  readonly nearTie: number;
  readonly profiling: 'off' | 'basic' | 'detailed';
  readonly perf?: NonNullable<NetRunOptions['perfProfile']>;
  readonly record?: string;
}

export function registerDeviceQnn(device: Command, context: () => Context): void {
  const qnn = device
    .command('qnn')
    .description("Qualcomm's own tools (QAIRT_ROOT): compile step graphs, replay a recorded decode");
  registerGraphs(qnn, context);
  registerCompile(qnn, context);
  registerReplay(qnn, context);
}

function registerGraphs(qnn: Command, context: () => Context): void {
  qnn
    .command('graphs')
    .description('write the step graphs that a trace needs, as ONNX for the converter of the SDK')
    .argument('<trace>', 'trace of `generate --trace`')
    .option('--model <name>', 'model of the trace: shipped, directory or .gguf file', 'tiny-llada')
    .requiredOption('--out <dir>', 'where the graphs go')
    .addHelpText(
      'after',
      '\nOne graph of fixed shape per bucket. Convert each with qairt-converter (it needs the Python of the SDK), and compile with' +
        '\n`device qnn compile`; for lower precision use qairt-quantizer in between.' +
        '\n\nExample:\n  $ dllm-npu generate --problem 0 --policy block-kv --gen-length 32 --trace t.jsonl' +
        '\n  $ dllm-npu device qnn graphs t.jsonl --out graphs' +
        '\n  $ for g in graphs/*.onnx; do qairt-converter --input_network $g --output_path graphs/$(basename $g .onnx).dlc; done',
    )
    .action((trace: string, options: { readonly model: string; readonly out: string }) =>
      graphs(context(), trace, options),
    );
}

function registerCompile(qnn: Command, context: () => Context): void {
  qnn
    .command('compile')
    .description('make context binaries of DLC files with qnn-context-binary-generator')
    .argument('<dir>', 'folder with r32-c64.dlc and so on')
    .option(
      '--config <file>',
      'settings of the HTP backend (SoC, architecture, TCM) as the SDK describes them',
    )
    .option('--timeout <s>', 'longest time of one graph', integer(1), 1800)
    .addHelpText(
      'after',
      '\nRuns on x86-64 Linux, also for a phone. Examples:' +
        '\n  $ QAIRT_ROOT=~/qairt/2.51.0 dllm-npu device qnn compile graphs --config htp.json',
    )
    .action((directory: string, options: { readonly config?: string; readonly timeout: number }) =>
      compile(context(), directory, options),
    );
}

function registerReplay(qnn: Command, context: () => Context): void {
  const command = qnn
    .command('replay')
    .description('all passes of a recorded decode through qnn-net-run, logits compared with the reference')
    .argument('<trace>', 'trace of `generate --trace`')
    .option('--model <name>', 'model of the trace: shipped, directory or .gguf file', 'tiny-llada')
    .requiredOption('--graphs <dir>', 'compiled graphs: a .bin or .dlc per bucket')
    .addOption(
      new Option('--backend <name>', "with --runner local: QNN's reference code, or its emulation of the NPU")
        .choices(['cpu', 'htp'])
        .default('htp'),
    )
    .option('--near-tie <margin>', 'logits below which a decision may turn', number(0, 100), 0.25)
    .addOption(
      new Option('--profiling <level>', 'what the tool records of every execution')
        .choices(['off', 'basic', 'detailed'])
        .default('detailed'),
    )
    .addOption(
      new Option('--perf <profile>', 'how the NPU is clocked').choices([
        'burst',
        'sustained_high_performance',
        'high_performance',
        'balanced',
        'power_saver',
      ]),
    )
    .option('--record <file>', 'write the run record here');
  addRunnerOptions(command)
    .addHelpText(
      'after',
      '\nOpen loop: every pass gets the tokens, K and V of the reference, so an error never reaches the next pass, and one' +
        '\nprocess runs them all (a start of the tool loads the graph, seconds for a large model). Exits with 1 when a best token' +
        '\ndiffers that was no near-tie. Times are those of the accelerator only; a PC has none.' +
        '\n\nExamples:' +
        '\n  $ dllm-npu device qnn replay t.jsonl --graphs graphs --record phone.json' +
        '\n  $ dllm-npu device qnn replay t.jsonl --graphs graphs --runner local --backend cpu',
    )
    .action((trace: string, options: ReplayCommandOptions) => replayTrace(context(), trace, options));
}

/** A trace and the model it is of. The caller closes `model.weights`. */
async function open(path: string, modelName: string): Promise<{ trace: Trace; model: LoadedModel }> {
  const { readTrace } = await import('../../src/decode/trace/trace.js');
  const { fileSha256, loadModel } = await import('../../src/model/load.js');
  const trace = readTrace(path);
  const model = await loadModel(modelName);
  const { hash, name } = trace.header.model;
  if (hash !== null && hash !== (await fileSha256(model.weightsPath))) {
    await model.weights.close();
    throw new UsageError(`${path} was recorded with other weights of ${name} than those of ${modelName}`);
  }
  return { trace, model };
}

async function graphs(
  ctx: Context,
  path: string,
  { model: name, out }: { readonly model: string; readonly out: string },
): Promise<void> {
  checkWritableDirectory(out);
  const { bucketsOf, writeReplayGraphs } = await import('../../hw/qnn/replay-graphs.js');
  const { bucketName } = await import('../../hw/graph/buckets.js');
  const { trace, model } = await open(path, name);
  try {
    mkdirSync(out, { recursive: true });
    const needed = bucketsOf(trace, model.config.contextLength);
    const files = await writeReplayGraphs(
      model.config,
      model.weights,
      needed.map(({ bucket }) => bucket),
      out,
    );
    ctx.data({
      files,
      buckets: needed.map(({ bucket, passes }) => ({ name: bucketName(bucket), ...bucket, passes })),
    });
    for (const [index, { passes }] of needed.entries()) ctx.print(`${files[index]}  ${passes} passes`);
    ctx.print('\nNext: convert each to a .dlc beside it (qairt-converter), then `device qnn compile`');
  } finally {
    await model.weights.close();
  }
}

async function compile(
  ctx: Context,
  directory: string,
  { config, timeout }: { readonly config?: string; readonly timeout: number },
): Promise<void> {
  const { QairtSdk } = await import('../../hw/qnn/tools-sdk.js');
  const { compileGraphs } = await import('../../hw/qnn/compile-graphs.js');
  const { LocalRunner } = await import('../../hw/runner/local-runner.js');
  const bar = progressBar(ctx, 'graphs');
  const made = await compileGraphs({
    sdk: QairtSdk.at(ctx.io.env.QAIRT_ROOT),
    runner: new LocalRunner(),
    graphs: directory,
    timeoutMs: timeout * 1000,
    signal: ctx.signal,
    configFile: config,
    onProgress: (done, total) => bar.update(done, total),
  }).finally(() => bar.stop());
  ctx.data({ made });
  for (const path of made) ctx.print(path);
}

async function replayTrace(ctx: Context, path: string, options: ReplayCommandOptions): Promise<void> {
  const { QairtSdk } = await import('../../hw/qnn/tools-sdk.js');
  const { replay } = await import('../../hw/qnn/replay.js');
  const { createTfjsEngine } = await import('../../src/engine/tfjs/engine.js');
  const { writeDeviceRecord } = await import('../../hw/record/device-record.js');
  const sdk = QairtSdk.at(ctx.io.env.QAIRT_ROOT);
  const phone = options.runner === 'local' ? null : (await openRunner(ctx, options)).runner;
  const { trace, model } = await open(path, options.model);
  const reference = await createTfjsEngine(model.config, model.weights);
  const bar = progressBar(ctx, 'passes of the reference');
  const { graphs: folder, backend, nearTie, profiling, perf, timeout } = options;
  try {
    const result = await replay({
      trace,
      reference,
      weightsPath: model.weightsPath,
      graphs: folder,
      sdk,
      phone,
      backend,
      nearTie,
      timeoutMs: timeout * 1000,
      ...(profiling === 'off' ? {} : { profilingLevel: profiling }),
      perfProfile: perf,
      transfer: { signal: ctx.signal },
      onProgress: (done, total) => bar.update(done, total),
    }).finally(() => bar.stop());
    if (options.record !== undefined) writeDeviceRecord(options.record, result.record);
    report(ctx, result);
  } finally {
    reference.dispose();
    await model.weights.close();
  }
}

function report(ctx: Context, { buckets, agreement, record }: ReplayResult): void {
  ctx.data({ buckets: buckets.map(({ differences: _, ...rest }) => rest), agreement, record });
  ctx.print(
    formatTable(
      [
        { header: ['pass'], align: 'left' },
        { header: ['kind'], align: 'left' },
        { header: ['bucket'], align: 'left' },
        { header: ['rows'], align: 'right' },
        { header: ['same best', 'token'], align: 'right' },
        { header: ['KL', 'max'], align: 'right' },
        { header: ['accelerator', 'us'], align: 'right' },
        { header: ['kcycles'], align: 'right' },
      ],
      buckets.flatMap(({ bucket, passes }) =>
        passes.map(({ passId, kind, rows, agreement: of, profile }) => [
          passId,
          kind,
          bucket,
          String(rows),
          of === null ? '-' : `${of.sameBest}/${of.rows}`,
          of === null ? '-' : of.klMax.toExponential(1),
          profile?.acceleratorUs == null ? '-' : String(profile.acceleratorUs),
          profile?.acceleratorCycles == null ? '-' : (profile.acceleratorCycles / 1000).toFixed(1),
        ]),
      ),
      { styleHeader: createColors(ctx.color).bold },
    ),
  );
  for (const { bucket, untimed } of buckets) {
    if (untimed !== null) ctx.print(`${bucket}: no times of the accelerator (${untimed})`);
  }
  const { rows, sameBest, nearTies, maxLogitError, differentBeyondNearTies } = agreement;
  ctx.print(
    `\n${sameBest} of ${rows} best tokens are those of the reference (${nearTies} near-ties), largest logit error ${maxLogitError.toExponential(2)}`,
  );
  const missing = record.missing.length === 0 ? '' : `; for npu-device it lacks ${record.missing.join(', ')}`;
  ctx.print(`class ${record.executionClass}${missing}`);
  if (differentBeyondNearTies > 0) {
    throw new CheckError(`${differentBeyondNearTies} best tokens differ that were no near-ties`);
  }
}
