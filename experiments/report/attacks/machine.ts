import { join } from 'node:path';
import { denoisingShape, steadyMs } from '../../../sim/workload/steady-step.js';
import { readJson } from '../../../src/util/read-file.js';
import { formatEnds, formatValue } from '../../comparison/print.js';
import type { ReproduceResult } from '../../comparison/result.js';
import { openMachine } from '../../lab/open.js';
import { chipSchema } from '../../lab/setup.js';
import { cellsOf } from './decisions.js';
import { type Attack, type Evidence, found, number, oursOf, rowOf, swingOf, x } from './evidence.js';

/** Cached positions of a chat, and of a long one. */
const CONTEXTS = [200, 2000] as const;
const MIB = 2 ** 20;
const IN_BUFFERS = 'whole buffers, the rest faulted in';

/** The chip, its software, and what else could run on it. */
export function attacksOnMachine(evidence: Evidence): Attack[] {
  const { study } = evidence;
  const [table6, tornado] = [study('table6'), study('tornado')];
  const total = rowOf(table6, 'full system over CPU + KV');
  const ours = number(total.ours, total.name);
  const cell = cellsOf(study('alternatives'));
  const npu = cell("llada.cpp's NPU path", 'full system');
  const swing = (start: string): string => swingOf(tornado, start);
  const bars = tornado.rows.filter(({ unit }) => unit === '% of its row');
  return [
    {
      attack: 'One number for a machine that nobody has measured',
      answer: `${x(ours)} is ${formatEnds(total.low, total.high) || 'without a stored interval'} over the cases and ${formatEnds(total.machineLow, total.machineHigh) || 'without a stored interval'} over machines (95 and 80 %)`,
    },
    {
      attack: 'Its intervals were set by who knew the measurements',
      answer: validationAnswer(evidence),
    },
    {
      attack: 'The CPU baseline is weak: nobody runs it without repacked kernels',
      answer: `Against repacked CPU + prefix KV the full system gains ${x(cell('CPU, repacked', 'prefix KV') / npu)}, not ${x(ours)}`,
    },
    {
      attack: 'The same decoding on the GPU, or on a compiled graph, makes the NPU path moot',
      answer: `Full system: NPU path ${formatValue(npu)} s, GPU ${formatValue(cell('GPU', 'full system'))} s, compiled graph ${formatValue(cell('compiled graph', 'full system'))} s`,
    },
    {
      attack: 'The head on the CPU is an assumed number, and the longest part of a step',
      answer: `From 1 to 5 times as fast it moves the full system by ${swing('18 stack.headSpeedup')} of its time; more than that are moved by ${wider(tornado, '18 stack.headSpeedup')} of ${bars.length} choices and numbers`,
    },
    {
      attack: "Six CPU threads were settled with the paper's Table 2 in view",
      answer: `From 2 to 8 they move the full system by ${swing('18 stack.cpuThreads')}: what was settled there matters more than most techniques`,
    },
    {
      attack: 'Phones throttle',
      answer: `A CPU that sustains 0.6 of its speed moves the full system by ${swing('stack.cpuSustained')}, the NPU clock (1.46 to 2.12 GHz) by ${swing('24 npu.clock')}; both are drawn in the intervals over machines`,
    },
    { attack: 'Staging is far too cheap here (Figure 13c)', answer: stagingAnswer(evidence) },
    { attack: 'Lookahead has the other sign here (Figure 13a)', answer: lookaheadAnswer(evidence) },
    { attack: 'Contexts are short', answer: contextAnswer() },
    { attack: 'One model, one phone', answer: generalityAnswer(study('generality')) },
    {
      attack: 'Joules are invented',
      answer:
        'Every number of the energy model is assumed and none was held against a measurement: joules rank nothing that seconds do not, and have intervals over problems only',
    },
  ];
}

/** Rows of the tornado that move more than one of them. */
function wider(tornado: ReproduceResult, start: string): number {
  const own = found(tornado.rows, ({ name }) => name.startsWith(start), start).ours;
  return tornado.rows.filter(({ unit, ours }) => unit === '% of its row' && (ours ?? 0) > (own ?? 0)).length;
}

function validationAnswer({ reference }: Evidence): string {
  const { measurements } = readJson(join(reference, 'validation', 'open.json')) as {
    readonly measurements: { readonly modelled: number; readonly median: number; readonly coverage: number };
  };
  const { modelled, median, coverage } = measurements;
  return `They were: ${(100 * coverage).toFixed(0)} % of ${modelled} published measurements lie in their 80 % intervals (median error ${(100 * median).toFixed(0)} %), and all of them were known before`;
}

function stagingAnswer({ rung, study }: Evidence): string {
  const row = found(
    study('staging-mechanisms').table ?? [],
    ({ mechanism }) => mechanism === IN_BUFFERS,
    `staging-mechanisms: ${IN_BUFFERS}`,
  );
  const usPerMib = Number(row.needs_us_per_mib);
  const stagedMib = number(rung('+ SOMR').staged_bytes_per_step, 'staged bytes') / MIB;
  const ms = (usPerMib * stagedMib) / 1000;
  const step = steadyMs(openMachine(chipSchema.parse({})), denoisingShape(32, CONTEXTS[0]));
  return `At the figure's ${formatValue(usPerMib)} us a MiB the ${formatValue(stagedMib)} MiB that a step stages take ${formatValue(ms)} ms of a step of ${formatValue(step)}: nothing, if all of it is hidden as SOMR means to; ${x((step + ms) / step)} the time if none is`;
}

function lookaheadAnswer({ study }: Evidence): string {
  const fig13a = study('fig13a');
  const free = (policy: string): string =>
    x(oursOf(fig13a, `gain at 4 if a second tile cost nothing, ${policy}`));
  const paper = rowOf(fig13a, 'gain over trigger 0 at 4').paper;
  return `The paper gains ${x(number(paper, 'fig13a'))} at a trigger of 4, the full system here ${x(oursOf(fig13a, 'gain over trigger 0 at 4'))}. A second tile that cost nothing would make it ${free('llada.cpp-drafts-masked')}, and ${free('mbsd')} of + MBSD with drafts as tokens: the price of the tile is not why`;
}

function contextAnswer(): string {
  const machine = openMachine(chipSchema.parse({}));
  const [short, long] = CONTEXTS.map((context) => steadyMs(machine, denoisingShape(32, context)));
  return `A step of 32 rows over ${CONTEXTS[1].toLocaleString('en-US')} cached positions takes ${formatValue(long)} ms, over ${CONTEXTS[0]} ${formatValue(short)} ms`;
}

/** The spread of each gain over models and phones. */
function generalityAnswer({ table = [] }: ReproduceResult): string {
  const gains = (technique: string): string => {
    const found = table.flatMap((row) =>
      row.technique === technique && typeof row.gain === 'number' ? [row.gain] : [],
    );
    return `${technique} ${formatValue(Math.min(...found))} to ${x(Math.max(...found))} (${found.length} cells)`;
  };
  const refused = table.filter(({ runs }) => runs === false).length;
  return `Over nine models and three phones: ${['SOMR', 'MBSD', 'STS', 'SLS'].map(gains).join(', ')}; ${refused} of ${table.length} cells cannot be run. One process decides for all of them`;
}
