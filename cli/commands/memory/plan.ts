import { createColors } from 'picocolors';
import { type MemoryPlan, memoryPlan } from '../../../sim/memory/plan.js';
import { bytesText } from '../../../src/util/bytes.js';
import { formatTable } from '../../../src/util/table.js';
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
    '\nnamed (`fasterWindow`). What does not fit is refused with what a step needs at the same time.',
  examples: ['memory plan', 'memory plan --context 4000', 'memory plan --memory on-demand --json'],
  async run(ctx, { rows, context, ...chip }) {
    const machine = await openTimedMachine(chip, { record: true });
    const plan = memoryPlan(machine, rows, context);
    const { windowBytes, sessions, weightBytes, kvPositions, map, fills, cost, fasterWindow } = plan;
    const shared = {
      machine: machine.name,
      windowBytes,
      sessions,
      weightBytes,
      kvPositions,
      rows,
      context,
      positions: rows + context,
    };
    ctx.data({ ...shared, ...map, fills, cost, fasterWindow });
    const { shapes, profile, stack, memory } = machine.options;
    ctx.print(
      `A step of ${rows} rows over ${context} cached positions (${rows + context} in all), ${shapes.name} on ${profile.name} (${stack.name}, ${memory})`,
    );
    if (memory === 'unlimited') ctx.print('No limit: everything was mapped before the decode.');
    else if (map === null) ctx.print('Nothing to map: no operator with weights runs on the NPU.');
    else print(ctx, plan, map);
  },
});

type Shown = NonNullable<MemoryPlan['map']>;

function print(ctx: Context, plan: MemoryPlan, map: Shown): void {
  const { sessions, weightBytes, cost, fasterWindow } = plan;
  const windowBytes = plan.windowBytes * sessions;
  const sum = (ranges: readonly { readonly bytes: number }[]) =>
    ranges.reduce((total, { bytes }) => total + bytes, 0);
  const [mapped, staged, absent] = [sum(map.mapped), sum(map.staged), sum(map.absent)];
  const beyond =
    staged > 0
      ? `${bytesText(staged)} of them are copied into the two slots in every step`
      : absent > 0
        ? `${bytesText(absent)} of them are outside and mapped when an operator needs them`
        : 'all of them stay in it';
  ctx.print(
    `Fits: the NPU reads ${bytesText(weightBytes)} of weights through ${sessions === 1 ? 'an address window' : `${sessions} address windows`} of ${bytesText(plan.windowBytes)}; ${beyond}.\n`,
  );
  const free = windowBytes - mapped;
  ctx.print(
    formatTable(
      [
        { header: ['in the window'], align: 'left' },
        { header: ['address'], align: 'right' },
        { header: ['MiB'], align: 'right' },
      ],
      [
        ...map.mapped.map(({ id, address, bytes }) => [
          id === 'KV cache' ? `KV cache, room for ${plan.kvPositions} positions` : id,
          `0x${address.toString(16)}`,
          mib(bytes),
        ]),
        [`free (longest piece ${bytesText(map.largestFreeBytes)})`, '', mib(free)],
        [sessions === 1 ? 'the whole window' : 'all windows', '', mib(windowBytes)],
      ],
      { styleHeader: createColors(ctx.color).bold },
    ),
  );
  listed(
    ctx,
    `copied into a slot every step, in order, ${bytesText(staged)}:`,
    staged,
    map.staged.map(({ bytes, tensors }) => {
      const more = tensors.length > 1 ? ` and ${tensors.length - 1} more` : '';
      return [bytes, `${tensors[0]}${more}`] as const;
    }),
  );
  listed(
    ctx,
    `not mapped after the step, ${bytesText(absent)}:`,
    absent,
    map.absent.map(({ id, bytes }) => [bytes, `from ${id}`] as const),
  );
  ctx.print(
    `\nOf a step of ${cost.stepMs.toFixed(1)} ms: ${cost.mappingMs.toFixed(1)} ms mapping (${cost.mapOps} maps, ` +
      `${bytesText(cost.mappedBytes)}), ${cost.stallMs.toFixed(1)} ms waiting for copies; ` +
      `${cost.copyMs.toFixed(1)} ms of copies (${bytesText(cost.stagedBytes)}) run beside it.`,
  );
  if (fasterWindow !== null) ctx.print(smallerWindowNote('the step', cost.stepMs, fasterWindow));
}

function listed(
  ctx: Context,
  title: string,
  total: number,
  lines: readonly (readonly [bytes: number, text: string])[],
): void {
  if (lines.length === 0) return;
  ctx.print(`\n${title}`);
  const width = mib(total).length;
  for (const [bytes, text] of lines) ctx.print(`  ${mib(bytes).padStart(width)} MiB  ${text}`);
}

function mib(bytes: number): string {
  return (bytes / 2 ** 20).toFixed(1);
}
