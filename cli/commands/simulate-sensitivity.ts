import { type Command, Option } from 'commander';
import { createColors } from 'picocolors';
import type { Chip } from '../../sim/sensitivity/parameters.js';
import { formatTable } from '../../src/util/table.js';
import { type CostOptions, openMachine, simulateOptions } from '../cost-options.js';
import type { Context } from '../io.js';
import { integer } from '../numbers.js';

interface SensitivityOptions extends CostOptions {
  readonly rows: number;
  readonly context: number;
  readonly sobol: number;
  readonly seed: number;
  readonly measured?: boolean;
}

export function registerSensitivity(simulate: Command, context: () => Context): void {
  const sensitivity = simulate
    .command('sensitivity')
    .description('how much a step depends on each number that was not measured')
    .option('--rows <n>', 'rows of the step', integer(1), 32)
    .option('--context <n>', 'cached prefix positions', integer(0), 80)
    .option('--measured', 'also numbers that were measured and have a range')
    .addOption(
      new Option('--sobol <n>', 'samples of total-order indices; n * (parameters + 2) steps; 0 is none')
        .argParser(integer(0, 100_000))
        .default(0),
    )
    .option('--seed <n>', 'of the samples', integer(0), 0);
  for (const option of simulateOptions()) sensitivity.addOption(option);
  sensitivity
    .addHelpText(
      'after',
      '\nOne at a time: each number at both ends of its range, the others at their defaults. Total order: all numbers' +
        '\nuniform in their ranges, the share of the variance that a number takes part in.' +
        '\n\nExamples:\n  $ dllm-npu simulate sensitivity\n  $ dllm-npu simulate sensitivity --sobol 256 --json',
    )
    .action((options: SensitivityOptions) => run(context(), options));
}

async function run(ctx: Context, options: SensitivityOptions): Promise<void> {
  const { machine: makeMachine } = await import('../../sim/open-machine.js');
  const { parametersOf } = await import('../../sim/sensitivity/parameters.js');
  const { oneAtATime, seededRandom, totalOrder } = await import('../../sim/sensitivity/sensitivity.js');
  const machine = await openMachine(options);
  const { rows, context } = options;
  const shape = { rows, kvSets: [{ name: 'prefix', length: context }], logitsRows: rows, masked: false };
  const evaluate = (chip: Chip): number => {
    ctx.signal.throwIfAborted();
    const candidate = makeMachine({ ...machine.options, ...chip, record: false });
    candidate.timePass(shape);
    const { startMs, endMs } = candidate.timePass(shape);
    return endMs - startMs;
  };
  const { profile, stack } = machine.options;
  const chip = { profile, stack };
  const baseMs = evaluate(chip);
  const effects = oneAtATime(chip, parametersOf(profile, stack, options.measured), evaluate);
  // A number without effect at either end is left out of the sampling.
  const active = effects.filter(({ swing }) => swing > 0).map(({ parameter }) => parameter);
  const sobol =
    options.sobol === 0
      ? null
      : totalOrder(chip, active, evaluate, options.sobol, seededRandom(options.seed));
  const totals = new Map(sobol?.indices.map(({ parameter, total }) => [parameter.name, total]));
  const found = effects.map(({ parameter, atLow, atHigh, swing }) => ({
    name: parameter.name,
    kind: parameter.kind,
    value: parameter.value,
    range: parameter.range,
    msAtLow: atLow,
    msAtHigh: atHigh,
    swing,
    ...(sobol === null ? {} : { totalOrder: totals.get(parameter.name) ?? 0 }),
  }));
  const spread = sobol === null ? {} : { mean_ms: sobol.mean, deviation_ms: sobol.deviation };
  ctx.data({
    machine: machine.name,
    rows,
    context,
    ms: baseMs,
    samples: options.sobol,
    ...spread,
    parameters: found,
  });
  ctx.print(`One step of ${rows} rows on ${machine.name}: ${baseMs.toFixed(1)} ms, simulated`);
  if (sobol !== null) {
    ctx.print(
      `All numbers anywhere in their ranges: ${sobol.mean.toFixed(1)} ms, standard deviation ${sobol.deviation.toFixed(1)} ms`,
    );
  }
  ctx.print('');
  const shown = found.filter(({ swing }) => swing > 0);
  ctx.print(
    formatTable(
      [
        { header: ['number'], align: 'left' },
        { header: ['kind'], align: 'left' },
        { header: ['ms at low'], align: 'right' },
        { header: ['ms at high'], align: 'right' },
        { header: ['swing'], align: 'right' },
        ...(sobol === null ? [] : [{ header: ['total order'], align: 'right' } as const]),
      ],
      shown.map((one) => [
        one.name,
        one.kind,
        one.msAtLow.toFixed(1),
        one.msAtHigh.toFixed(1),
        `${(one.swing * 100).toFixed(1)} %`,
        ...(sobol === null ? [] : [(totals.get(one.name) ?? 0).toFixed(3)]),
      ]),
      { styleHeader: createColors(ctx.color).bold },
    ),
  );
  ctx.print(`\n${found.length - shown.length} more numbers have no effect on this step.`);
}
