import { join } from 'node:path';
import { denoisingShape, steadyMs } from '../../sim/workload/steady-step.js';
import { CheckError } from '../../src/errors.js';
import { readJson } from '../../src/util/read-file.js';
import { formatEnds, formatValue } from '../comparison/print.js';
import { type ReproducedRow, type ReproduceResult, readResult } from '../comparison/result.js';
import { readResults } from '../comparison/scoreboard.js';
import { tally } from '../comparison/tally.js';
import { openMachine } from '../lab/open.js';
import { chipSchema } from '../lab/setup.js';
import { FULL_SYSTEM } from '../studies/ladder/ladder.js';
import { readSummary } from '../studies/ladder/summary-file.js';
import type { AblationRow } from '../studies/ladder/types.js';
import type { QualityTable } from '../studies/quality/table.js';

/** What a reviewer may hold against the study, and the number that answers. */
interface Attack {
  readonly attack: string;
  readonly answer: string;
}

const x = (ratio: number): string => `${formatValue(ratio)}x`;

/** Cached positions of a chat, and of a long one. */
const CONTEXTS = [200, 2000] as const;
/** Answers that may be lost: the margin of `tune`. */
const MARGIN = 0.03;

/** @throws CheckError for a row that the results do not have */
function found<T>(rows: readonly T[], is: (row: T) => boolean, name: string): T {
  const row = rows.find(is);
  if (row === undefined) throw new CheckError(`the results have no ${name}`);
  return row;
}

const rowOf = ({ rows, name }: ReproduceResult, row: string): ReproducedRow =>
  found(rows, (each) => each.name === row, `${name}: ${row}`);

const number = (value: number | null, name: string): number => {
  if (value === null) throw new CheckError(`the results have no value of ${name}`);
  return value;
};

/**
 * The attacks and their numbers as a Markdown table, all from reference results but the step at a long context, which is timed.
 * @param reference directory of the reference results
 * @throws CheckError when a result lacks a row; EnvironmentError and DataError as reading the results
 */
export function attacksMarkdown(reference: string): string {
  const line = ({ attack, answer }: Attack): string => `| ${attack} | ${answer} |`;
  return ['| attack | the number |', '|---|---|', ...attacks(reference).map(line)].join('\n');
}

function attacks(reference: string): Attack[] {
  const read = (name: string): ReproduceResult =>
    readResult(join(reference, 'reproduce', name, 'result.json'));
  const ladder = readSummary(join(reference, 'ablation', 'summary.json'));
  const rung = (name: string): AblationRow => found(ladder.rows, (row) => row.name === name, name);
  const [table6, tornado, counterfactuals] = [read('table6'), read('tornado'), read('counterfactuals')];
  const total = rowOf(table6, 'full system over CPU + KV');
  const ours = number(total.ours, total.name);
  const last = rung('+ SCR');
  const spread = formatEnds(total.machineLow, total.machineHigh);
  const cell = cellsOf(read('alternatives'));
  const npu = cell("llada.cpp's NPU path", 'full system');
  const swing = (start: string): string => {
    const row = found(tornado.rows, ({ name }) => name.startsWith(start), `tornado: ${start}`);
    return `${number(row.ours, row.name).toFixed(0)} %`;
  };
  const bands = tally(
    readResults(join(reference, 'reproduce')).flatMap(({ rows }) => rows.filter(isPredicted)),
  );
  const per = (row: AblationRow, of: 'all' | 'text'): number => row.tokens_per_forward[of];
  const base = rung('+ SOMR');
  return [
    {
      attack: 'Another model would be less sure: the gain is that of whoever decides',
      answer: `It is: full system over CPU + prefix KV is ${x(number(last.speedup.vsCpuKv, 'the ladder'))} with tiny-llada, ${x(ours)} with the process fitted to LLaDA-8B, ${x(number(total.paper, total.name))} in the paper; no interval here holds that`,
    },
    {
      attack: 'One number for a machine that nobody has measured',
      answer: `${x(ours)} is ${formatEnds(total.low, total.high) || 'without a stored interval'} over the cases and ${spread || 'without a stored interval'} over machines (95 and 80 %)`,
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
      attack: 'A plain threshold would do',
      answer: `It takes ${x(number(rowOf(counterfactuals, 'threshold 0.9 over full system').ours, 'threshold'))} the time of the full system, ${x(number(rowOf(counterfactuals, 'threshold 0.9 + SLS over full system').ours, 'threshold + SLS'))} with SLS (the process decides)`,
    },
    { attack: 'Faster because the answers are worse', answer: qualityAnswer(reference) },
    {
      attack: 'Fill after the end of a text counts as tokens',
      answer: `Tokens a forward: ${per(last, 'all').toFixed(2)} with fill, ${per(last, 'text').toFixed(2)} without; the gain over one token per step is ${x(per(last, 'all') / per(base, 'all'))} and ${x(per(last, 'text') / per(base, 'text'))}`,
    },
    {
      attack: 'The head on the CPU is an assumed number, and the longest part of a step',
      answer: `From 1 to 5 times as fast it moves the full system by ${swing('18 stack.headSpeedup')} of its time; more than that are moved by ${wider(tornado, '18 stack.headSpeedup')} of ${tornado.rows.filter(({ unit }) => unit === '% of its row').length} choices and numbers`,
    },
    {
      attack: 'Seed and prompt were chosen',
      answer: `Seeds 2 and 3 move the full system by ${swing('25 seed')}, prompts of 50 to 110 tokens by ${swing('23 prompt')}`,
    },
    { attack: 'Contexts are short', answer: contextAnswer() },
    {
      attack: "The paper's numbers went in, so they came out",
      answer: `Two of its figures did (5b, 8). Of the bands of what was predicted ${bands.met} are met and ${bands.missed} missed`,
    },
  ];
}

const isPredicted = ({ kind, pass }: ReproducedRow): boolean => kind === 'predicted' && pass !== null;

/** Rows of the tornado that move more than one of them. */
function wider(tornado: ReproduceResult, start: string): number {
  const own = found(tornado.rows, ({ name }) => name.startsWith(start), start).ours;
  return tornado.rows.filter(({ unit, ours }) => unit === '% of its row' && (ours ?? 0) > (own ?? 0)).length;
}

/** Seconds of a dense Q4_0 answer on SM8750. */
function cellsOf({ table, name }: ReproduceResult): (stack: string, technique: string) => number {
  return (stack, technique) => {
    const row = found(
      table ?? [],
      (each) =>
        each.soc === 'sm8750' &&
        each.quant === 'q4_0' &&
        each.pruning === 'dense' &&
        each.stack === stack &&
        each.technique === technique,
      `${name}: ${stack}, ${technique}`,
    );
    return number(typeof row.seconds === 'number' ? row.seconds : null, `${stack}, ${technique}`);
  };
}

/** What the full system costs in answers, and the fastest policy that costs at most the margin. */
function qualityAnswer(reference: string): string {
  const { rows } = readJson(join(reference, 'quality', 'techniques.json')) as QualityTable;
  const share = ({ exact }: (typeof rows)[number]): number => exact.successes / exact.n;
  const seconds = (row: (typeof rows)[number]): number => number(row.seconds?.median ?? null, row.policy);
  const [base] = rows;
  const full = found(rows, ({ policy }) => policy === FULL_SYSTEM, FULL_SYSTEM);
  const kept = rows.filter((row) => share(row) >= share(base) - MARGIN);
  const best = kept.reduce((one, other) => (seconds(other) < seconds(one) ? other : one));
  const percent = (row: (typeof rows)[number]): string => `${(100 * share(row)).toFixed(1)} %`;
  return (
    `They are: ${percent(full)} exact against ${percent(base)} of one token per step (${base.exact.n} problems). Within ` +
    `${100 * MARGIN} points of it the fastest is \`${best.policy}\`: ${percent(best)}, ${formatValue(seconds(best))} s, ${x(seconds(base) / seconds(best))}; the full system ${x(seconds(base) / seconds(full))}`
  );
}

function contextAnswer(): string {
  const machine = openMachine(chipSchema.parse({}));
  const [short, long] = CONTEXTS.map((context) => steadyMs(machine, denoisingShape(32, context)));
  return `A step of 32 rows over ${CONTEXTS[1].toLocaleString('en-US')} cached positions takes ${formatValue(long)} ms, over ${CONTEXTS[0]} ${formatValue(short)} ms`;
}
