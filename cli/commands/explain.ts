import { createColors } from 'picocolors';
import { stepIntervals } from '../../sim/interval/of-steps.js';
import { explainStep, type RooflineEntry, type TimeNode } from '../../sim/machine/explain.js';
import { denoisingShape, steadyMs } from '../../sim/workload/steady-step.js';
import { table } from '../../src/util/table.js';
import { defineCommand } from '../command.js';
import { chipEffects, logitsRows, step, timedChip } from '../groups.js';
import { heldNote, intervalText } from '../interval-text.js';
import { splitsNote } from '../splits-note.js';
import { openTimedMachine } from '../timed-machine.js';

export const command = defineCommand({
  options: {
    ...step,
    logitsRows,
    ...timedChip,
  },
  effects: chipEffects,
  examples: [
    'explain --rows 32 --context 80',
    'explain --rows 1 --context 512 --model qwen3-4b --quant q4_0-imatrix --stack llama.cpp-hexagon --memory on-demand',
  ],
  async run(ctx, { rows, context, logitsRows, ...chip }) {
    const machine = await openTimedMachine(chip);
    steadyMs(machine, denoisingShape(rows, context, logitsRows));
    const explained = explainStep(machine);
    const { intervals, held } = stepIntervals(
      machine,
      [{ rows, ms: explained.tree.ms }],
      { context, logitsRows },
      ctx.signal,
    );
    const [{ low, high }] = intervals;
    ctx.data({ machine: machine.name, rows, context, low, high, intervals: held, ...explained });
    const { tree, bound, splits, critical, roofline, busiest, efficiency } = explained;
    ctx.print(`One step of ${rows} rows over ${context} cached positions on ${machine.name}, simulated\n`);
    ctx.print(
      table(['part', '> ms', '> share', 'bound'], treeRows(tree, tree.ms, 0), {
        styleHeader: createColors(ctx.color).bold,
      }),
    );
    ctx.print(`\ncritical path: ${list(critical, tree.ms)}`);
    ctx.print(`busy:          ${list(roofline, tree.ms)}`);
    ctx.print(`The step takes ${intervalText({ low, high })} ms in its 80 % interval.`);
    const bestMs = roofline[0]?.ms ?? 0;
    ctx.print(`The step waits longest for ${bound}.`);
    if (splits > 0) ctx.print(splitsNote(splits));
    ctx.print(
      `With perfect overlap ${busiest} alone would take ${bestMs.toFixed(1)} ms, ${(efficiency * 100).toFixed(0)} % of the step.`,
    );
    ctx.print(heldNote(held));
  },
});

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
