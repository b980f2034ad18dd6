import { createColors } from 'picocolors';
import { operatorRoofs } from '../../experiments/figures/machine-data.js';
import { requestIntervals } from '../../sim/interval/of-request.js';
import { stepIntervals } from '../../sim/interval/of-steps.js';
import { explainAccounts, explainStep, type RooflineEntry } from '../../sim/machine/explain.js';
import type { Machine } from '../../sim/machine/machine.js';
import { accountRequest, type RequestSize } from '../../sim/workload/request.js';
import { denoisingShape } from '../../sim/workload/steady-step.js';
import { table } from '../../src/util/table.js';
import { defineCommand } from '../command.js';
import { type OperatorRoof, operatorBounds, treeRows } from '../explain-rows.js';
import { chipEffects, logitsRows, request, step, timedChip } from '../groups.js';
import { heldNote, intervalText } from '../interval-text.js';
import { splitsNote } from '../splits-note.js';
import { openTimedMachine } from '../timed-machine.js';

const HEADERS = ['part', '> ms', '> share', 'bound'];
const SMALL = 'Parts add up to what is above them; those under 0.05 ms are left out.';
const ROOFS =
  'roof: the least time if every operand crossed DRAM once at the rate of the DMA (CPU: of its cores) and every\n' +
  'operation of the NPU ran at the peak of its matrix unit; of roof: 100 % would reach it.';

export const command = defineCommand({
  options: {
    ...step,
    logitsRows,
    prompt: request.prompt.optional().describe('a request instead of a step: tokens of its prompt'),
    answer: request.answer.default(0),
    ...timedChip,
  },
  effects: [
    ...chipEffects,
    {
      options: ['rows', 'context', 'logitsRows'],
      when: ({ prompt }) => prompt === undefined,
      because: '--prompt asks for a request, not for a step',
    },
    { options: ['answer'], when: ({ prompt }) => prompt !== undefined, because: 'it follows a --prompt' },
  ],
  examples: [
    'explain --rows 32 --context 80',
    'explain --rows 1 --context 512 --model qwen3-4b --quant q4_0-imatrix --stack llama.cpp-hexagon',
    'explain --prompt 512 --answer 128 --model qwen3-4b --stack llama.cpp-hexagon',
  ],
  async run(ctx, { rows, context, logitsRows, prompt, answer, ...chip }) {
    const machine = await openTimedMachine(chip);
    const { of, what, asked, interval, held, explained, operators } =
      prompt === undefined
        ? aStep(machine, rows, { context, logitsRows }, ctx.signal)
        : aRequest(machine, { prompt, answer }, ctx.signal);
    ctx.data({ machine: machine.name, ...asked, ...interval, intervals: held, ...explained, operators });
    const { tree, bound, splits, critical, roofline, busiest, efficiency } = explained;
    const { shapes, profile, stack, memory } = machine.options;
    ctx.print(`${what}, ${shapes.name} on ${profile.name} (${stack.name}, ${memory}), simulated\n`);
    ctx.print(
      table(
        operators === null ? HEADERS : [...HEADERS, '> roof ms', '> of roof'],
        treeRows(tree, operators),
        {
          styleHeader: createColors(ctx.color).bold,
        },
      ),
    );
    ctx.print(operators === null ? SMALL : `${SMALL}\n${ROOFS}`);
    ctx.print(`\ncritical path: ${list(critical, tree.ms)}`);
    ctx.print(`busy:          ${list(roofline, tree.ms)}`);
    ctx.print(
      `The ${of} takes ${intervalText(interval)} ms in its 80 % interval, and waits longest for ${bound}.`,
    );
    if (splits > 0 && prompt === undefined) ctx.print(splitsNote(splits));
    ctx.print(
      `With perfect overlap ${busiest} alone would take ${roofline[0].ms.toFixed(1)} ms, ${(efficiency * 100).toFixed(0)} % of the ${of}.`,
    );
    ctx.print(heldNote(held));
  },
});

function aStep(
  machine: Machine,
  rows: number,
  settings: { readonly context: number; readonly logitsRows?: number },
  signal: AbortSignal,
) {
  const { context, logitsRows } = settings;
  const operators = operatorBounds(operatorRoofs(machine, denoisingShape(rows, context, logitsRows)));
  const explained = explainStep(machine);
  const { intervals, held } = stepIntervals(machine, [{ rows, ms: explained.ms }], settings, signal);
  return {
    of: 'step',
    what: `One step of ${rows} rows over ${context} cached positions`,
    asked: { rows, context },
    interval: intervals[0],
    held,
    explained,
    operators,
  };
}

function aRequest(machine: Machine, size: RequestSize, signal: AbortSignal) {
  const { timing, accounts } = accountRequest(machine, size);
  const { whole, held } = requestIntervals(machine, timing, signal);
  return {
    of: 'request',
    what: `A prompt of ${size.prompt} and an answer of ${size.answer}`,
    asked: { ...size, msPerToken: timing.msPerToken },
    interval: whole,
    held,
    explained: explainAccounts(accounts),
    operators: null as readonly OperatorRoof[] | null,
  };
}

function list(entries: readonly RooflineEntry[], totalMs: number): string {
  return entries
    .map(({ resource, ms }) => `${resource} ${ms.toFixed(1)} ms (${((ms / totalMs) * 100).toFixed(0)} %)`)
    .join(', ');
}
