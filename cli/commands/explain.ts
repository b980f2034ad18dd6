import type { Command } from 'commander';
import { createColors } from 'picocolors';
import type { RooflineEntry, TimeNode } from '../../sim/machine/explain.js';
import { formatTable } from '../../src/util/table.js';
import { type CostOptions, openMachine, simulateOptions } from '../cost-options.js';
import type { Context } from '../io.js';
import { integer } from '../numbers.js';

interface ExplainOptions extends CostOptions {
  readonly rows: number;
  readonly context: number;
  readonly logitsRows?: number;
}

export function registerExplain(program: Command, context: () => Context): void {
  const explain = program
    .command('explain')
    .description('where the time of one denoising step goes, part by part, beside the roofline')
    .option('--rows <n>', 'rows of the step', integer(1), 32)
    .option('--context <n>', 'cached prefix positions the rows attend to', integer(0), 0)
    .option('--logits-rows <n>', 'rows that get logits (default: all)', integer(0));
  for (const option of simulateOptions()) explain.addOption(option);
  explain
    .addHelpText(
      'after',
      '\nExamples:\n  $ dllm-npu explain --rows 32 --context 80\n  $ dllm-npu explain --memory on-demand --stack llama.cpp-hexagon',
    )
    .action((options: ExplainOptions) => run(context(), options));
}

async function run(ctx: Context, options: ExplainOptions): Promise<void> {
  const { explainStep } = await import('../../sim/machine/explain.js');
  const machine = await openMachine(options);
  const { rows, context } = options;
  const shape = {
    rows,
    kvSets: [{ name: 'prefix', length: context }],
    masked: false,
    logitsRows: Math.min(options.logitsRows ?? rows, rows),
  };
  // The second step finds mapped what stays mapped.
  machine.timePass(shape);
  machine.timePass(shape);
  const explained = explainStep(machine);
  ctx.data({ machine: machine.name, rows, context, ...explained });
  const { tree, critical, roofline, boundBy, efficiency } = explained;
  ctx.print(`One step of ${rows} rows over ${context} cached positions on ${machine.name}, simulated\n`);
  ctx.print(
    formatTable(
      [
        { header: ['part'], align: 'left' },
        { header: ['ms'], align: 'right' },
        { header: ['share'], align: 'right' },
        { header: ['bound'], align: 'left' },
      ],
      treeRows(tree, tree.ms, 0),
      { styleHeader: createColors(ctx.color).bold },
    ),
  );
  ctx.print(`\ncritical path: ${list(critical, tree.ms)}`);
  ctx.print(`busy:          ${list(roofline, tree.ms)}`);
  const bestMs = roofline[0]?.ms ?? 0;
  ctx.print(
    `With perfect overlap ${boundBy} alone would take ${bestMs.toFixed(1)} ms, ${(efficiency * 100).toFixed(0)} % of the step.`,
  );
}

function treeRows(node: TimeNode, totalMs: number, depth: number): string[][] {
  const share = `${((node.ms / totalMs) * 100).toFixed(0)} %`;
  return [
    ['  '.repeat(depth) + node.name, node.ms.toFixed(1), share, node.bound],
    ...node.children.flatMap((child) => treeRows(child, totalMs, depth + 1)),
  ];
}

function list(entries: readonly RooflineEntry[], totalMs: number): string {
  return entries
    .map(({ resource, ms }) => `${resource} ${ms.toFixed(1)} ms (${((ms / totalMs) * 100).toFixed(0)} %)`)
    .join(', ');
}
