import { join } from 'node:path';
import type { Command } from 'commander';
import type { ChosenProblems } from '../../experiments/lab/problems.js';
import type { DeviceRecord } from '../../hw/record/device-record.js';
import type { DeviceSession } from '../../hw/session/device-session.js';
import { checkWritableDirectory } from '../../src/util/check-writable.js';
import { project } from '../../src/util/project-root.js';
import { formatTable } from '../../src/util/table.js';
import { addDeviceOptions, type DeviceOptions, LIBRARIES_HELP, openDevice } from '../device-options.js';
import type { Context } from '../io.js';
import { addProblemOptions, chooseProblems, type ProblemOptions } from '../problem-options.js';
import { progressBar } from '../progress.js';

interface DeviceRunOptions extends ProblemOptions, DeviceOptions {
  readonly out: string;
}

export function registerDeviceRun(device: Command, context: () => Context): void {
  const command = device
    .command('run')
    .description('decode on a device backend in this machine, and write the record of the run');
  addDeviceOptions(command);
  addProblemOptions(command, { n: 1, policy: 'llada.cpp', genLength: 32 })
    .option('--out <dir>', 'where record.json goes', join(project().root, 'results', 'device-run', 'latest'))
    .addHelpText(
      'after',
      `\n${LIBRARIES_HELP} The class of the run follows from what was` +
        '\nseen of it: the libraries in memory, the provider that each node went to, the profile. A refusal, a crash or a hang' +
        '\nis written too, then ends with 3.' +
        '\n\nExamples:' +
        '\n  $ dllm-npu device run' +
        '\n  $ dllm-npu device run --backend qnn-cpu' +
        '\n  $ dllm-npu device run --backend htp --numerics f16 --soc-model 69 --contexts ctx' +
        '\n  $ dllm-npu device run --backend htp --numerics w4a16 --soc-model 69 --head cpu --kv f16 --json',
    )
    .action((options: DeviceRunOptions) => run(context(), options));
}

interface Decoded {
  readonly problem: number;
  readonly tokens: readonly number[];
  readonly text: string;
  readonly steps: number;
}

async function run(ctx: Context, options: DeviceRunOptions): Promise<void> {
  checkWritableDirectory(options.out);
  const { DeviceError } = await import('../../hw/device-error.js');
  const { writeDeviceRecord } = await import('../../hw/record/device-record.js');
  const chosen = await chooseProblems(options);
  const path = join(options.out, 'record.json');
  try {
    const session = await openDevice(ctx, chosen, options);
    try {
      const decoded = await decodeAll(ctx, session, chosen, options.genLength);
      const record = await session.finish();
      writeDeviceRecord(path, record);
      await report(ctx, decoded, record);
    } catch (error) {
      const record = await session.finish(error instanceof DeviceError ? error.failure : null);
      // Ctrl-C at a terminal ends the host process too: that is no failure of the device.
      if (error instanceof DeviceError && !ctx.signal.aborted) writeDeviceRecord(path, record);
      throw error;
    }
    ctx.note(`written to ${path}`);
  } finally {
    await chosen.model.weights.close();
  }
}

async function decodeAll(
  ctx: Context,
  { engine }: DeviceSession,
  { spec, problems, model }: ChosenProblems,
  genLength: number,
): Promise<Decoded[]> {
  const { composePolicy } = await import('../../src/decode/method/compose.js');
  const { decode } = await import('../../src/decode/method/session.js');
  const bar = progressBar(ctx, 'tokens', { log: true });
  const decoded: Decoded[] = [];
  try {
    for (const { index, promptIds } of problems) {
      const { tokens, steps } = await decode({
        policy: composePolicy(spec),
        engine,
        promptIds,
        genLength,
        signal: ctx.signal,
        onStep: (_, { positions, promptLength }) => {
          const settled = positions.slice(promptLength).filter(({ state }) => state === 'V' || state === 'S');
          bar.update(decoded.length * genLength + settled.length, problems.length * genLength);
        },
      });
      const end = tokens.indexOf(model.config.eosId);
      const text = model.tokenizer.decode(end < 0 ? tokens : tokens.slice(0, end));
      decoded.push({ problem: index, tokens, text, steps: steps.length });
    }
  } finally {
    bar.stop();
  }
  return decoded;
}

async function report(ctx: Context, decoded: readonly Decoded[], record: DeviceRecord): Promise<void> {
  const { bucketName } = await import('../../hw/graph/buckets.js');
  const { whyTimesDoNotCount } = await import('../../hw/record/execution-class.js');
  ctx.data({ answers: decoded, record });
  for (const { problem, text, steps } of decoded) ctx.print(`problem ${problem}, ${steps} steps: ${text}`);
  const buckets = new Map<string, DeviceRecord['runs'][number][]>();
  for (const timing of record.runs) {
    const name = timing.bucket === undefined ? '-' : bucketName(timing.bucket);
    buckets.set(name, [...(buckets.get(name) ?? []), timing]);
  }
  const header = [['graph'], ['passes'], ['host', 'ms per pass'], ['accelerator', 'Mcycles per pass']];
  const mean = (values: readonly (number | null)[]): number | null => {
    const known = values.filter((value) => value !== null);
    return known.length === 0 ? null : known.reduce((sum, value) => sum + value, 0) / known.length;
  };
  ctx.print('');
  ctx.print(
    formatTable(
      header.map((lines, index) => ({ header: lines, align: index === 0 ? 'left' : 'right' })),
      [...buckets].map(([name, runs]) => {
        const cycles = mean(runs.map(({ acceleratorCycles }) => acceleratorCycles));
        const ms = mean(runs.map(({ hostMs }) => hostMs));
        return [name, `${runs.length}`, ms!.toFixed(1), cycles === null ? '-' : (cycles / 1e6).toFixed(2)];
      }),
    ),
  );
  ctx.print(`\nclass ${record.executionClass}; ${record.files.length} files recorded with their SHA-256`);
  const why = whyTimesDoNotCount(record.executionClass);
  if (why !== null) ctx.print(why);
  if (record.missing.length > 0)
    ctx.print(`a run on a device would also have shown: ${record.missing.join(', ')}`);
}
