import { CheckError } from '../../src/errors.js';
import { series } from '../comparison/compare.js';
import { defineStudy } from '../comparison/study.js';
import { PAPER_WORKLOAD } from '../comparison/words.js';
import { bars } from '../figures/bars.js';
import type { StackName, TechniqueName } from './alternatives/grid.js';
import { rooflineMs } from './alternatives/price.js';
import { type AlternativeRow, solveAlternatives } from './alternatives/solve.js';

const SOC = 'sm8750';
const BLOCK = 32;
const NPU = "llada.cpp's NPU path";
const REUSE = "llama.cpp's Hexagon path";
const GRAPH = 'compiled graph';

type Found = readonly Pick<AlternativeRow, 'soc' | 'stack' | 'quant' | 'technique' | 'pruning' | 'seconds'>[];

/** Seconds of dense Q4_0, or of another format or pruning, on the paper's chip. @throws CheckError where there is no such cell */
function at(
  rows: Found,
  stack: StackName,
  technique: TechniqueName,
  { quant = 'q4_0', pruning = 'dense', soc = SOC }: { quant?: string; pruning?: string; soc?: string } = {},
): number {
  const found = rows.find(
    (row) =>
      row.soc === soc &&
      row.stack === stack &&
      row.technique === technique &&
      row.quant === quant &&
      row.pruning === pruning,
  );
  if (found === undefined)
    throw new CheckError(`no cell ${[soc, stack, quant, technique, pruning].join(', ')}`);
  return found.seconds;
}

/** Share of the way from `from` to the roofline, in logarithms, that a change goes, in percent. */
function closed(from: number, to: number, roofline: number): number {
  return (100 * Math.log(from / to)) / Math.log(from / roofline);
}

/** Headlines: what is compared, and with which number. */
function headlines(rows: Found, rooflineS: number): readonly (readonly [string, string, number])[] {
  const gain = (stack: StackName) => at(rows, stack, 'prefix KV') / at(rows, stack, 'full system');
  const step = (stack: StackName) => at(rows, stack, 'prefix KV');
  const ar = (stack: StackName) => at(rows, stack, 'exact speculation') / at(rows, stack, 'autoregressive');
  return [
    ['GPU over NPU path, one token per step (below 1: the GPU is faster)', 'x', step('GPU') / step(NPU)],
    ['GPU over NPU path, full system', 'x', at(rows, 'GPU', 'full system') / at(rows, NPU, 'full system')],
    [
      'repacked CPU over NPU path, full system',
      'x',
      at(rows, 'CPU, repacked', 'full system') / at(rows, NPU, 'full system'),
    ],
    ["techniques' gain over prefix KV, llada.cpp's NPU path", 'x', gain(NPU)],
    ["techniques' gain over prefix KV, tiles reused", 'x', gain(REUSE)],
    ["techniques' gain over prefix KV, compiled graph", 'x', gain(GRAPH)],
    [
      'plain threshold over full system, tiles reused',
      'x',
      at(rows, REUSE, 'threshold 0.9') / at(rows, REUSE, 'full system'),
    ],
    [
      "exact speculation over the autoregressive model, llada.cpp's NPU path (above 1: autoregressive wins)",
      'x',
      ar(NPU),
    ],
    ['exact speculation over the autoregressive model, tiles reused', 'x', ar(REUSE)],
    ['exact speculation over the autoregressive model, compiled graph', 'x', ar(GRAPH)],
    ['exact speculation over the autoregressive model, repacked CPU', 'x', ar('CPU, repacked')],
    ['exact speculation over the autoregressive model, GPU', 'x', ar('GPU')],
    ['roofline, one token per step (prefix KV)', 's', rooflineS],
    ["llada.cpp's NPU path over the roofline", 'x', step(NPU) / rooflineS],
    ['of that, closed by reusing decoded tiles', '%', closed(step(NPU), step(REUSE), rooflineS)],
    ['of that, closed by a compiled graph', '%', closed(step(NPU), step(GRAPH), rooflineS)],
    [
      'of that, closed by 2-bit weights',
      '%',
      closed(step(NPU), at(rows, NPU, 'prefix KV', { quant: '2-bit' }), rooflineS),
    ],
    [
      'of that, closed by half of the FFN rows',
      '%',
      closed(step(NPU), at(rows, NPU, 'prefix KV', { pruning: '50 % of FFN rows' }), rooflineS),
    ],
    [
      'the same share by fewer passes (full system; over 100: fewer passes than the roofline has)',
      '%',
      closed(step(NPU), at(rows, NPU, 'full system'), rooflineS),
    ],
  ];
}

export const alternatives = defineStudy({
  name: 'alternatives',
  title: 'Other ways to be fast: stacks, weight formats, pruning, techniques, and an autoregressive model',
  paper: null,
  runs: 'one answer of {tokens} tokens of LLaDA-8B per cell, on SM8650, SM8750 and SM8850, medians of three cases (one with --quick); headlines: SM8750, Q4_0, dense unless said otherwise',
  workload: PAPER_WORKLOAD,
  stacks: ['cpu', 'llada.cpp'],
  measure: async (bench) => {
    const { rows, refused, cases } = await solveAlternatives(bench);
    const passes = bench.options.genLength + bench.options.genLength / BLOCK;
    const column = <K extends keyof AlternativeRow>(name: K): AlternativeRow[K][] =>
      rows.map((row) => row[name]);
    return {
      soc: column('soc'),
      stack: column('stack'),
      quant: column('quant'),
      technique: column('technique'),
      pruning: column('pruning'),
      seconds: column('seconds'),
      low: column('low'),
      high: column('high'),
      joules: column('joules'),
      swapped_gib: column('swappedGib'),
      refused,
      cases,
      roofline_s: (passes * rooflineMs(SOC, BLOCK)) / 1000,
    };
  },
  derive: (ours) => {
    const rows = ours.soc.map((soc, i) => ({
      soc,
      stack: ours.stack[i],
      quant: ours.quant[i],
      technique: ours.technique[i],
      pruning: ours.pruning[i],
      seconds: ours.seconds[i],
    }));
    const found = headlines(rows, ours.roofline_s);
    return {
      headline: found.map(([name]) => name),
      headline_unit: found.map(([, unit]) => unit),
      headline_value: found.map(([, , value]) => value),
    };
  },
  formulas: {
    headline: 'what is compared',
    headline_unit: 'x: ratio of seconds; %: share of the logarithm of the distance to the roofline',
    headline_value: 'of the cells named',
  },
  compare: (ours) =>
    ours.headline.flatMap((name, i) =>
      series([name], () => name, {
        unit: ours.headline_unit[i],
        ours: [ours.headline_value[i]],
        kind: 'predicted',
      }),
    ),
  table: (ours) =>
    ours.soc.map((soc, i) => ({
      soc,
      stack: ours.stack[i],
      quant: ours.quant[i],
      technique: ours.technique[i],
      pruning: ours.pruning[i],
      seconds: ours.seconds[i],
      low: ours.low[i],
      high: ours.high[i],
      joules: ours.joules[i],
      swappedGib: ours.swapped_gib[i],
    })),
  notes: [
    'Intervals (80 %) go from the fastest to the slowest case, by what the ranges of all numbers and the form of the machine do to a pass in the middle of the answer, as in `simulate`. Two stacks whose intervals overlap are not told apart. Every number of the energy model is assumed, and it has no GPU: joules are left out there.',
    '3-bit and 2-bit weights and 2:4 run in no stack here: their bytes are priced (3.44 and 2.63 bits a weight; indices of two bits), at the rate at which four-bit codes are decoded, and keys, values and activations are priced as if they shrank too: a bound from below. No accuracy is claimed. 2:4 saves no products: no unit of these chips skips them.',
    'Pruned models of 8B are priced, not run: time and memory only. What pruning by magnitude alone costs the shipped model was measured (results/reference/quality): of 100 answers at one token per step, 100 are exact without a quarter of the FFN rows, 74 without half of them, none with 2:4; the full system loses more. The full system looks at the machine while it decides; its decisions are those of dense Q4_0 on that chip and stack.',
    'Autoregressive: Llama-3-8B, the prompt in one pass, then one token a pass. Equal quality is not claimed between two models; exact speculation is compared, because on the shipped task it is not inferior to one token per step (results/reference/tune).',
    'Roofline: every weight once from DRAM at the achievable rate, or every product at the peak of the matrix unit, whichever is longer, in every pass of the row prefix KV. Nothing else is in it.',
  ],
  figure: (ours) =>
    bars(
      (
        [
          ['One answer, SM8750, dense Q4_0, full system', 'full system'],
          ['The same, Llama-3-8B autoregressive', 'autoregressive'],
        ] as const
      ).map(([title, technique]) => {
        const of = <T>(column: readonly T[]): T[] => column.filter((_, i) => chosen(ours, i, technique));
        return {
          title,
          axis: 'seconds for one answer',
          names: of(ours.stack),
          values: of(ours.seconds),
          low: of(ours.low),
          high: of(ours.high),
        };
      }),
    ),
});

function chosen(
  ours: {
    readonly soc: readonly string[];
    readonly quant: readonly string[];
    readonly pruning: readonly string[];
    readonly technique: readonly string[];
  },
  i: number,
  technique: TechniqueName,
): boolean {
  return (
    ours.soc[i] === SOC &&
    ours.quant[i] === 'q4_0' &&
    ours.pruning[i] === 'dense' &&
    ours.technique[i] === technique
  );
}
