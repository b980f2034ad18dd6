import type { Command } from 'commander';
import { createColors } from 'picocolors';
import type { Span } from '../../sim/machine/timeline.js';
import { formatTable } from '../../src/util/table.js';
import { type CostOptions, openMachine, simulateOptions } from '../cost-options.js';
import type { Context } from '../io.js';
import { integer } from '../numbers.js';
import { smallerWindowNote } from '../smaller-window-note.js';

interface PlanOptions extends CostOptions {
  readonly rows: number;
  readonly context: number;
}

export function registerMemory(program: Command, context: () => Context): void {
  const memory = program.command('memory').description("the NPU's address window");
  const plan = memory
    .command('plan')
    .description('what is resident, what is staged, when, and what it costs')
    .option('--rows <n>', 'rows of the step', integer(1), 32)
    .option('--context <n>', 'cached prefix positions', integer(0), 0);
  for (const option of simulateOptions()) plan.addOption(option);
  plan
    .addHelpText(
      'after',
      '\nTimes are those of a step on a machine that has just run the same step. A smaller window that would be faster is named (`fasterWindow`).' +
        '\n\nExamples:\n  $ dllm-npu memory plan\n  $ dllm-npu memory plan --memory on-demand --json',
    )
    .action((options: PlanOptions) => printPlan(context(), options));
}

const MIB = 2 ** 20;

async function printPlan(ctx: Context, options: PlanOptions): Promise<void> {
  const { fasterSmallerWindow } = await import('../../sim/machine/smaller-window.js');
  const machine = await openMachine(options, true);
  const { rows, context } = options;
  const shape = { rows, kvSets: [{ name: 'prefix', length: context }], logitsRows: rows, masked: false };
  machine.timePass(shape);
  const timing = machine.timePass(shape);
  const { startMs, endMs, counters } = timing;
  const map = machine.memoryMap();
  const within = (span: Span): boolean => span.startMs >= startMs && span.startMs < endMs;
  const spans = machine.timeline().spans.filter(within);
  const copies = spans.filter(({ track }) => track === 'staging');
  const { parts } = machine.stepBreakdown();
  const part = (name: string): number => parts.find((candidate) => candidate.name === name)?.ms ?? 0;
  const cost = {
    stepMs: endMs - startMs,
    mappingMs: part('mapping'),
    stallMs: part('staging wait'),
    copyMs: copies.reduce((sum, span) => sum + span.endMs - span.startMs, 0),
    stagedBytes: counters.stagedBytes ?? 0,
    mappedBytes: counters.mappedBytes ?? 0,
    mapOps: counters.mapOps ?? 0,
  };
  const fills = copies.map((span) => ({
    slot: span.name,
    startMs: span.startMs - startMs,
    endMs: span.endMs - startMs,
  }));
  const window = machine.options.profile.window.bytes;
  const fasterWindow = fasterSmallerWindow(machine, shape, timing);
  ctx.data({ machine: machine.name, windowBytes: window, rows, context, ...map, fills, cost, fasterWindow });
  ctx.print(`Address window of ${machine.name}: ${mib(window)} MiB a session\n`);
  if (map === null) {
    ctx.print(
      options.memory === 'unlimited'
        ? 'No limit: everything was mapped before the decode.'
        : 'Nothing to map: no operator with weights runs on the NPU.',
    );
    return;
  }
  ctx.print(
    formatTable(
      [
        { header: ['mapped'], align: 'left' },
        { header: ['address'], align: 'right' },
        { header: ['MiB'], align: 'right' },
      ],
      map.mapped.map(({ id, address, bytes }) => [id, `0x${address.toString(16)}`, mib(bytes)]),
      { styleHeader: createColors(ctx.color).bold },
    ),
  );
  ctx.print(`free: ${mib(map.largestFreeBytes)} MiB in one piece`);
  map.staged.forEach(({ bytes, tensors }, at) => {
    const [first] = tensors;
    const more = tensors.length > 1 ? ` and ${tensors.length - 1} more` : '';
    if (at === 0) ctx.print('\nstaged every step, in order:');
    ctx.print(`  ${mib(bytes)} MiB  ${first}${more}`);
  });
  if (map.absent.length > 0) ctx.print('\nnot mapped after the step:');
  for (const { id, bytes } of map.absent) ctx.print(`  ${mib(bytes)} MiB  from ${id}`);
  ctx.print(
    `\nOf a step of ${cost.stepMs.toFixed(1)} ms: ${cost.mappingMs.toFixed(1)} ms mapping (${cost.mapOps} maps, ` +
      `${mib(cost.mappedBytes)} MiB), ${cost.stallMs.toFixed(1)} ms waiting for copies; ` +
      `${cost.copyMs.toFixed(1)} ms of copies (${mib(cost.stagedBytes)} MiB) run beside it.`,
  );
  if (fasterWindow !== null) ctx.print(smallerWindowNote('the step', cost.stepMs, fasterWindow));
}

function mib(bytes: number): string {
  return (bytes / MIB).toFixed(1);
}
