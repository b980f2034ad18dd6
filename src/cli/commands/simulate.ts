import { type Command, Option } from 'commander';
import { createColors } from 'picocolors';
import { formatTable } from '../../util/table.js';
import { type CostOptions, costOptions, openMachine } from '../cost-options.js';
import type { Context } from '../io.js';
import { integer, integerList } from '../options.js';

interface StepOptions extends CostOptions {
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
    .addOption(new Option('--logits-rows <n>', 'rows that get logits (default: all)').argParser(integer(0)));
  for (const option of costOptions()) step.addOption(option);
  step
    .addHelpText(
      'after',
      '\nEach number of rows is timed on a machine that has just run the same step once, so weights that stay mapped are mapped.' +
        '\n\nExamples:\n  $ dllm-npu simulate step --rows 32,64,128' +
        '\n  $ dllm-npu simulate step --rows 1-128+1 --json   the staircase of 32-row tiles' +
        '\n  $ dllm-npu simulate step --stack cpu --context 200',
    )
    .action(async (options: StepOptions) => {
      const ctx = context();
      const machine = await openMachine(options);
      const rows = options.rows.map((count) => {
        ctx.signal.throwIfAborted();
        const shape = {
          rows: count,
          kvSets: [{ name: 'prefix', length: options.context }],
          logitsRows: Math.min(options.logitsRows ?? count, count),
          masked: false,
        };
        machine.reset();
        machine.timePass(shape);
        const timing = machine.timePass(shape);
        const { ms, bound, utilization, parts } = machine.stepBreakdown();
        return { rows: count, ms, bound, utilization, parts, counters: timing.counters };
      });
      const { costModel, quant, profile, stack, memory, fidelity } = options;
      ctx.data({ model: costModel, quant, profile, stack, memory, fidelity, context: options.context, rows });
      ctx.print(
        `One denoising step of ${costModel} ${quant} on ${profile} (${stack}, ${memory}), simulated\n`,
      );
      const resources = Object.keys(rows[0]?.utilization ?? {});
      ctx.print(
        formatTable(
          [
            { header: ['rows'], align: 'right' },
            { header: ['ms'], align: 'right' },
            { header: ['ms/row'], align: 'right' },
            { header: ['bound'], align: 'left' },
            ...resources.map((name) => ({ header: [`${name} %`], align: 'right' }) as const),
            { header: ['longest parts (ms)'], align: 'left' },
          ],
          rows.map((r) => [
            String(r.rows),
            r.ms.toFixed(1),
            (r.ms / r.rows).toFixed(2),
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
    });
}
