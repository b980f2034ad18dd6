import { type Command, Option } from 'commander';
import { createColors } from 'picocolors';
import { CheckError } from '../../src/errors.js';
import type { PassShape } from '../../src/pass/shape.js';
import { formatTable } from '../../src/util/table.js';
import { type CostOptions, openMachine, simulateOptions, writePerfetto } from '../cost-options.js';
import type { Context } from '../io.js';
import { integer, integerList } from '../numbers.js';
import { smallerWindowNote } from '../smaller-window-note.js';
import { registerSensitivity } from './simulate-sensitivity.js';
import { registerValidate } from './simulate-validate.js';
import { registerWorkloads } from './simulate-workload.js';

interface PerfettoOption {
  readonly perfetto?: string;
}

interface StepOptions extends CostOptions, PerfettoOption {
  readonly rows: number[];
  readonly context: number;
  readonly logitsRows?: number;
}

export function registerSimulate(program: Command, context: () => Context): void {
  const simulate = program.command('simulate').description('time work on a modelled chip');

  const step = simulate
    .command('step')
    .description('time one denoising step for some numbers of rows')
    .option('--rows <list>', 'rows: 32,64,128 or ranges 1-128+1, 32-256*2', integerList(1), [32, 64, 128])
    .option('--context <n>', 'cached prefix positions the rows attend to', integer(0), 0)
    .addOption(new Option('--logits-rows <n>', 'rows that get logits (default: all)').argParser(integer(0)))
    .option('--perfetto <file>', 'write the timeline of the last number of rows for ui.perfetto.dev');
  for (const option of simulateOptions()) step.addOption(option);
  step
    .addHelpText(
      'after',
      '\nA machine that has just run the same step once is timed, so weights that stay mapped are mapped. Where weights do' +
        '\nnot fit, smaller windows are tried as well (sixteenths): one that would be faster is named, as `faster_window` of a' +
        `\nrow under --json. Of more than ${FEW_ROWS} numbers of rows only the first and the last are tried.` +
        '\n\nExamples:\n  $ dllm-npu simulate step --rows 32,64,128' +
        '\n  $ dllm-npu simulate step --rows 1-128+1 --json   the staircase of 32-row tiles' +
        '\n  $ dllm-npu simulate step --stack cpu --memory unlimited --context 200' +
        '\n  $ dllm-npu simulate step --rows 32 --perfetto step.json',
    )
    .action((options: StepOptions) => timeSteps(context(), options));

  const trace = simulate
    .command('trace')
    .description('time a recorded decode on a machine; nothing is decoded again')
    .argument('<file>', 'trace (JSON Lines), see `generate --trace`')
    .option('--perfetto <file>', 'write the timeline for ui.perfetto.dev');
  for (const option of simulateOptions()) trace.addOption(option);
  trace
    .addHelpText(
      'after',
      '\nThe decisions stay those of the trace, the shapes are those of --cost-model.' +
        '\n\nExamples:\n  $ dllm-npu simulate trace run.jsonl --memory on-demand' +
        '\n  $ dllm-npu simulate trace run.jsonl --cost-model dream-7b --json',
    )
    .action((file: string, options: CostOptions & PerfettoOption) => timeTrace(context(), file, options));
  registerWorkloads(simulate, context);
  registerValidate(simulate, context);
  registerSensitivity(simulate, context);
}

/** More numbers of rows than this are a sweep: only its ends are looked at with smaller windows. */
const FEW_ROWS = 8;

async function timeSteps(ctx: Context, options: StepOptions): Promise<void> {
  const { energyOf } = await import('../../sim/energy/energy.js');
  const { fasterSmallerWindow } = await import('../../sim/machine/smaller-window.js');
  const machine = await openMachine(options);
  const shapeOf = (count: number): PassShape => ({
    rows: count,
    kvSets: [{ name: 'prefix', length: options.context }],
    logitsRows: Math.min(options.logitsRows ?? count, count),
    masked: false,
  });
  const checked = (at: number): boolean =>
    options.rows.length <= FEW_ROWS || at === 0 || at === options.rows.length - 1;
  const rows = options.rows.map((count, at) => {
    ctx.signal.throwIfAborted();
    const shape = shapeOf(count);
    machine.reset();
    machine.timePass(shape);
    const timing = machine.timePass(shape);
    const { ms, bound, utilization, parts } = machine.stepBreakdown();
    const energy = energyOf([timing], machine.options.profile);
    const smaller = checked(at) ? { faster_window: fasterSmallerWindow(machine, shape, timing) } : {};
    return { rows: count, ms, bound, utilization, parts, counters: timing.counters, energy, ...smaller };
  });
  const last = options.rows.at(-1) ?? 1;
  const perfetto = await writePerfetto(options.perfetto, options, (recording) => {
    for (let step = 0; step < 2; step++) recording.timePass(shapeOf(last));
  });
  const { costModel, quant, profile, stack, memory } = options;
  ctx.data({
    model: costModel,
    quant,
    profile,
    stack,
    memory,
    context: options.context,
    rows,
    perfetto,
  });
  ctx.print(`One denoising step of ${costModel} ${quant} on ${profile} (${stack}, ${memory}), simulated\n`);
  // The GPU is a column only where it works.
  const resources = Object.keys(rows[0]?.utilization ?? {}).filter(
    (name) => name !== 'gpu' || rows.some((r) => (r.utilization.gpu ?? 0) > 0),
  );
  ctx.print(
    formatTable(
      [
        { header: ['rows'], align: 'right' },
        { header: ['ms'], align: 'right' },
        { header: ['ms/row'], align: 'right' },
        { header: ['J *'], align: 'right' },
        { header: ['bound'], align: 'left' },
        ...resources.map((name) => ({ header: [`${name} %`], align: 'right' }) as const),
        { header: ['longest parts (ms)'], align: 'left' },
      ],
      rows.map((r) => [
        String(r.rows),
        r.ms.toFixed(1),
        (r.ms / r.rows).toFixed(2),
        `${digits(r.energy.joules)} (${r.energy.range.map(digits).join('-')})`,
        r.bound,
        ...resources.map((name) => ((r.utilization[name] ?? 0) * 100).toFixed(0)),
        r.parts
          .slice(0, 3)
          .map((part) => `${part.name} ${part.ms.toFixed(0)}`)
          .join(', '),
      ]),
      { styleHeader: createColors(ctx.color).bold },
    ),
  );
  ctx.print(ENERGY_NOTE);
  for (const { rows: count, ms, faster_window: smaller } of rows) {
    if (smaller) ctx.print(smallerWindowNote(`${count} rows`, ms, smaller));
  }
}

/** Two digits, never an exponent. */
const digits = (value: number): string => String(Number(value.toPrecision(2)));

const ENERGY_NOTE =
  '* above idle, with all its numbers at the low and at the high end: every one is assumed, see `hardware energy`';

async function timeTrace(ctx: Context, file: string, options: CostOptions & PerfettoOption): Promise<void> {
  const { energyOf } = await import('../../sim/energy/energy.js');
  const { readTrace, replayTrace } = await import('../../src/decode/trace/trace.js');
  const trace = readTrace(file);
  const machine = await openMachine(options);
  const { timings, totalMs, divergesAt } = replayTrace(trace, machine);
  if (timings.length === 0) throw new CheckError(`${file}: the trace has no steps to time`);
  const perfetto = await writePerfetto(options.perfetto, options, (recording) => {
    replayTrace(trace, recording);
  });
  const utilization = Object.fromEntries(
    machine.resources.map((name) => [
      name,
      timings.reduce((sum, { busyMs }) => sum + (busyMs[name] ?? 0), 0) / totalMs,
    ]),
  );
  const { header } = trace;
  const energy = energyOf(timings, machine.options.profile);
  const tokens = header.genLength;
  const perToken = { joules: energy.joules / tokens, range: energy.range.map((end) => end / tokens) };
  const steps = timings.map(({ startMs, endMs, counters }, step) => ({
    step,
    ms: endMs - startMs,
    counters,
  }));
  ctx.data({
    trace: { file, policy: header.policy.name, model: header.model.name, timer: header.timer },
    machine: machine.name,
    total_s: totalMs / 1000,
    utilization,
    diverges_at: divergesAt,
    steps,
    energy: { ...energy, per_token_j: perToken.joules, per_token_range_j: perToken.range },
    perfetto,
  });
  ctx.print(`${header.policy.name}, decided by ${header.model.name}, timed on ${machine.name}: simulated`);
  ctx.print(
    `${steps.length} steps in ${(totalMs / 1000).toFixed(2)} s, ${(totalMs / steps.length).toFixed(1)} ms each`,
  );
  const busy = Object.entries(utilization).flatMap(([name, share]) =>
    share > 0 ? [`${name} ${(share * 100).toFixed(0)} %`] : [],
  );
  ctx.print(`busy: ${busy.join(', ')}`);
  ctx.print(
    `${digits(energy.joules)} J* for the request (${energy.range.map(digits).join(' to ')}), ` +
      `${digits(perToken.joules)} J* a token (${perToken.range.map(digits).join(' to ')})\n${ENERGY_NOTE}`,
  );
  if (divergesAt !== null) {
    ctx.print(
      `From step ${divergesAt} on, other CPU refreshes would be finished here: a live decode could go another way.`,
    );
  }
}
