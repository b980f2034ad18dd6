import { createColors } from 'picocolors';
import { type MemoryPlan, memoryPlan } from '../../../sim/memory/plan.js';
import { table } from '../../../src/util/table.js';
import { defineCommand } from '../../command.js';
import { chipEffects, step, timedChip } from '../../groups.js';
import type { Context } from '../../io.js';
import { smallerWindowNote } from '../../smaller-window-note.js';
import { openTimedMachine } from '../../timed-machine.js';

export const command = defineCommand({
  options: { ...step, ...timedChip },
  effects: chipEffects,
  notes:
    'Times are those of a step on a machine that has just run the same step. A smaller window that would be faster is' +
    '\nnamed (`fasterWindow`).',
  examples: ['memory plan', 'memory plan --memory on-demand --json'],
  async run(ctx, { rows, context, ...chip }) {
    const machine = await openTimedMachine(chip, { record: true });
    const plan = memoryPlan(machine, rows, context);
    const { windowBytes, map, fills, cost, fasterWindow } = plan;
    ctx.data({ machine: machine.name, windowBytes, rows, context, ...map, fills, cost, fasterWindow });
    ctx.print(`Address window of ${machine.name}: ${mib(windowBytes)} MiB a session\n`);
    if (map !== null) print(ctx, plan, map);
    else if (chip.memory === 'unlimited') ctx.print('No limit: everything was mapped before the decode.');
    else ctx.print('Nothing to map: no operator with weights runs on the NPU.');
  },
});

function print(ctx: Context, { cost, fasterWindow }: MemoryPlan, map: NonNullable<MemoryPlan['map']>): void {
  ctx.print(
    table(
      ['mapped', '> address', '> MiB'],
      map.mapped.map(({ id, address, bytes }) => [id, `0x${address.toString(16)}`, mib(bytes)]),
      { styleHeader: createColors(ctx.color).bold },
    ),
  );
  ctx.print(`free: ${mib(map.largestFreeBytes)} MiB in one piece`);
  if (map.staged.length > 0) ctx.print('\nstaged every step, in order:');
  for (const { bytes, tensors } of map.staged) {
    const more = tensors.length > 1 ? ` and ${tensors.length - 1} more` : '';
    ctx.print(`  ${mib(bytes)} MiB  ${tensors[0]}${more}`);
  }
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
  return (bytes / 2 ** 20).toFixed(1);
}
