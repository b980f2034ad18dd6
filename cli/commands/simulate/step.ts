import { createColors } from 'picocolors';
import { z } from 'zod';
import type { Interval } from '../../../sim/interval/interval.js';
import { MOST_DRAWN, stepIntervals } from '../../../sim/interval/of-steps.js';
import type { Machine } from '../../../sim/machine/machine.js';
import { denoisingShape } from '../../../sim/workload/steady-step.js';
import { FEW_ROWS, type TimedRows, timeRows } from '../../../sim/workload/time-rows.js';
import { RESOURCES } from '../../../src/decode/method/timer.js';
import { checkWritableFile } from '../../../src/util/check-writable.js';
import { table } from '../../../src/util/table.js';
import { defineCommand } from '../../command.js';
import { ENERGY_NOTE, twoDigits } from '../../energy-note.js';
import { chipEffects, logitsRows, step, timedChip } from '../../groups.js';
import { heldNote, intervalText } from '../../interval-text.js';
import type { Context } from '../../io.js';
import { MAX_ROWS } from '../../limits.js';
import { smallerWindowNote } from '../../smaller-window-note.js';
import { splitsNote } from '../../splits-note.js';
import { machineOf, timedModel } from '../../timed-machine.js';
import { perfetto, writeTimeline } from '../../timeline-file.js';

/** With more rows a file of every task would be too large to open. */
const MOST_ROWS_BY_TASK = 128;

export const command = defineCommand({
  options: {
    rows: z
      .array(z.int().min(1).max(MAX_ROWS))
      .default([32, 64, 128])
      .describe('rows: 32,64,128 or ranges 1-128+1, 32-256*2'),
    context: step.context,
    logitsRows,
    perfetto: perfetto.describe(
      'write the timeline of the last number of rows for ui.perfetto.dev: every task up to 128 rows, else every operator',
    ),
    ...timedChip,
  },
  effects: chipEffects,
  notes:
    'A machine that has just run the same step once is timed, so weights that stay mapped are mapped. Where weights do' +
    '\nnot fit, smaller windows are tried as well (sixteenths): one that would be faster is named, as `fasterWindow` of a' +
    `\nrow under --json. Of more than ${FEW_ROWS} numbers of rows only the first and the last are tried,` +
    `\nand of more than ${MOST_DRAWN} the interval of those between ${MOST_DRAWN} is drawn out of theirs.`,
  examples: [
    'simulate step --rows 32,64,128',
    'simulate step --rows 1-128+1 --json   the staircase of 32-row tiles',
    'simulate step --rows 1 --context 512 --model qwen3-4b --quant q4_0-imatrix --stack llama.cpp-hexagon@2026-05',
    'simulate step --stack cpu --context 200',
    "simulate step --set stack.cpuThreads=4 --set 'profile.npu.dmaRate=60 GB/s'",
    'simulate step --rows 32 --perfetto step.json',
  ],
  async run(ctx, { rows, context, logitsRows, perfetto: file, ...chip }) {
    checkWritableFile(file);
    const opened = await timedModel(chip);
    const machine = machineOf(chip, opened);
    const steps = timeRows(machine, { rows, context, logitsRows }, ctx.signal);
    const { intervals, held } = stepIntervals(machine, steps, { context, logitsRows }, ctx.signal);
    const timed = steps.map((row, at) => ({ ...row, ...intervals[at] }));
    const last = rows.at(-1)!;
    const work = (recorded: Machine): void => {
      for (let times = 0; times < 2; times++) recorded.timePass(denoisingShape(last, context, logitsRows));
    };
    const written = await writeTimeline(file, chip, work, last <= MOST_ROWS_BY_TASK ? 'chunk' : 'op');
    const { costModel, profile, stack } = chip;
    const { memory } = machine.options;
    const { quant } = opened;
    const data = { model: costModel, quant, profile, stack, memory, context, rows: timed, intervals: held };
    ctx.data({ ...data, perfetto: written });
    ctx.print(`One denoising step of ${costModel} ${quant} on ${profile} (${stack}, ${memory}), simulated\n`);
    print(ctx, timed);
    ctx.print(heldNote(held));
  },
});

function print(ctx: Context, rows: readonly (TimedRows & Interval)[]): void {
  // The GPU is a column only where it works.
  const resources = RESOURCES.filter(
    (name) => name !== 'gpu' || rows.some((row) => row.utilization[name] > 0),
  );
  ctx.print(
    table(
      [
        ...['> rows', '> ms', '80 % interval', '> ms/row', '> J *', 'bound'],
        ...resources.map((name) => `> ${name} %`),
        'longest parts (ms)',
      ],
      rows.map((row) => [
        String(row.rows),
        row.ms.toFixed(1),
        intervalText(row),
        (row.ms / row.rows).toFixed(2),
        `${twoDigits(row.energy.joules)} (${row.energy.range.map(twoDigits).join('-')})`,
        row.bound,
        ...resources.map((name) => (row.utilization[name] * 100).toFixed(0)),
        row.parts
          .slice(0, 3)
          .map((part) => `${part.name} ${part.ms.toFixed(0)}`)
          .join(', '),
      ]),
      { styleHeader: createColors(ctx.color).bold },
    ),
  );
  ctx.print(ENERGY_NOTE);
  const splits = Math.max(...rows.map((row) => row.splits));
  if (splits > 0) ctx.print(splitsNote(splits));
  for (const { rows: count, ms, fasterWindow } of rows) {
    if (fasterWindow) ctx.print(smallerWindowNote(`${count} rows`, ms, fasterWindow));
  }
}
