import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { UsageError } from '../../src/errors.js';
import { isDirectory } from '../../src/util/read-file.js';
import type { RowKind } from './compare.js';
import { formatError, formatValue } from './print.js';
import { type ReproducedRow, type ReproduceResult, readResult } from './result.js';
import { tally } from './tally.js';

export const SCOREBOARD_SCHEMA = 'dllm-npu/scoreboard@1';

const KINDS = ['predicted', 'calibrated', 'ordering'] as const;

/** Rows of the largest errors. */
const WORST = 5;

/** Bands of one table, figure or question. */
export interface FigureScore {
  readonly name: string;
  /** Where in the paper; null for a question of ours. */
  readonly where: string | null;
  readonly met: number;
  readonly missed: number;
  readonly rows: number;
  /** Rows that were fitted to, or settled with, the figure in view. */
  readonly calibrated: number;
  /** Of the predicted rows; null where no value is predicted. */
  readonly medianErrorPct: number | null;
}

/** Rows of one kind that have a published number or a band. */
export interface KindScore {
  readonly kind: RowKind;
  readonly rows: number;
  readonly met: number;
  readonly missed: number;
  readonly medianErrorPct: number | null;
  readonly largestErrorPct: number | null;
}

/** A predicted row that is far off. */
export interface WorstRow {
  readonly figure: string;
  readonly name: string;
  readonly unit: string;
  readonly ours: number;
  readonly paper: number;
  readonly errorPct: number;
}

/** How the project stands against what is published: nothing is left out. */
export interface Scoreboard {
  readonly schema: typeof SCOREBOARD_SCHEMA;
  readonly met: number;
  readonly missed: number;
  readonly figures: readonly FigureScore[];
  readonly kinds: readonly KindScore[];
  /** Largest relative errors of predicted rows, by factor: a third counts like three times. */
  readonly worst: readonly WorstRow[];
  /** Who decided in the results that were read. */
  readonly decisions: readonly string[];
}

/**
 * Results of `reproduce`, one per directory.
 * @throws UsageError when there is none; EnvironmentError or DataError for a damaged one
 */
export function readResults(directory: string): ReproduceResult[] {
  const names = isDirectory(directory)
    ? readdirSync(directory, { withFileTypes: true })
        .filter((entry) => entry.isDirectory())
        .map(({ name }) => name)
        .sort()
    : [];
  if (names.length === 0)
    throw new UsageError(`no results in ${directory}: make them by \`reproduce all --out ${directory}\``);
  return names.map((name) => readResult(join(directory, name, 'result.json')));
}

const percent = (share: number | null): number | null => (share === null ? null : 100 * share);

export function scoreboardOf(results: readonly ReproduceResult[]): Scoreboard {
  const counted = results.flatMap((result) => {
    const rows = result.rows.filter(({ paper, pass }) => paper !== null || pass !== null);
    return rows.length === 0 ? [] : [{ ...result, rows }];
  });
  const all = counted.flatMap(({ rows }) => rows);
  const { met, missed } = tally(all);
  return {
    schema: SCOREBOARD_SCHEMA,
    met,
    missed,
    figures: counted.map(({ name, paper, rows }) => {
      const score = tally(rows);
      return {
        name,
        where: paper?.where ?? null,
        met: score.met,
        missed: score.missed,
        rows: rows.length,
        calibrated: rows.filter(({ kind }) => kind === 'calibrated').length,
        medianErrorPct: percent(tally(rows.filter(({ kind }) => kind === 'predicted')).medianError),
      };
    }),
    kinds: KINDS.map((kind) => {
      const own = all.filter((row) => row.kind === kind);
      const score = tally(own);
      return {
        kind,
        rows: own.length,
        met: score.met,
        missed: score.missed,
        medianErrorPct: percent(score.medianError),
        largestErrorPct: percent(score.largestError),
      };
    }),
    worst: worstRows(counted),
    decisions: [...new Set(counted.map(({ decisions }) => decisions))],
  };
}

/** How many times too large or too small; without a value or a sign in common, as far off as can be. */
function factorOff({ ours, paper }: { readonly ours: number; readonly paper: number }): number {
  const ratio = ours / paper;
  return ratio > 0 ? Math.max(ratio, 1 / ratio) : Number.POSITIVE_INFINITY;
}

function worstRows(results: readonly ReproduceResult[]): WorstRow[] {
  const rows = results.flatMap(({ name: figure, rows: own }) =>
    own.flatMap(({ name, unit, ours, paper, error, kind }: ReproducedRow) =>
      kind !== 'predicted' || error === null || ours === null || paper === null
        ? []
        : [{ figure, name, unit, ours, paper, errorPct: 100 * error }],
    ),
  );
  return rows.sort((a, b) => factorOff(b) - factorOff(a)).slice(0, WORST);
}

const shown = (value: number | null): string => (value === null ? '-' : `${value.toFixed(0)} %`);

const mdTable = (head: readonly string[], rows: readonly (readonly string[])[]): string[] => [
  `| ${head.join(' | ')} |`,
  `|${head.map((_, at) => (at === 0 ? '---' : '---:')).join('|')}|`,
  ...rows.map((row) => `| ${row.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`),
];

/** The whole scoreboard, for a page. */
export function scoreboardMarkdown(board: Scoreboard): string {
  return [
    `**${board.met} bands met, ${board.missed} missed.** Predicted values must come out; calibrated ones were fitted to, or settled with, the figure in view and prove nothing; orderings promise an order only.`,
    '',
    ...mdTable(
      ['kind', 'rows', 'bands met', 'bands missed', 'median error', 'largest error'],
      board.kinds.map(({ kind, rows, met, missed, medianErrorPct, largestErrorPct }) => [
        kind,
        ...[rows, met, missed].map(String),
        shown(medianErrorPct),
        shown(largestErrorPct),
      ]),
    ),
    '',
    ...mdTable(
      ['figure', 'met', 'missed', 'rows', 'calibrated', 'median error of predicted rows'],
      board.figures.map(({ name, where, met, missed, rows, calibrated, medianErrorPct }) => [
        where === null ? name : `${name} (${where})`,
        ...[met, missed, rows, calibrated].map(String),
        shown(medianErrorPct),
      ]),
    ),
    '',
    'The five predictions that are furthest off, by factor:',
    '',
    ...mdTable(
      ['figure', 'row', 'ours', 'published', 'error'],
      board.worst.map(({ figure, name, unit, ours, paper, errorPct }) => [
        figure,
        name,
        `${formatValue(ours)} ${unit}`,
        `${formatValue(paper)} ${unit}`,
        formatError(errorPct / 100),
      ]),
    ),
    '',
    `Decisions: ${board.decisions.join('; ')}.`,
  ].join('\n');
}

/** In a few lines, for the top of a README. */
export function scoreboardSummary(board: Scoreboard): string {
  const [predicted, calibrated] = board.kinds;
  const score = ({ name, met, missed }: FigureScore): string => `${name} ${met} of ${met + missed}`;
  const banded = board.figures.filter(({ met, missed }) => met + missed > 0);
  const fitted = board.figures.filter((each) => each.calibrated > 0);
  return [
    `- Against what is published, **${board.met} of ${board.met + board.missed} bands are met and ${board.missed} missed**` +
      ` (predicted: ${predicted.met} of ${predicted.met + predicted.missed}). Met by figure: ${banded.map(score).join(', ')}.`,
    `- Median error of ${predicted.rows} predicted values: ${shown(predicted.medianErrorPct)}; of ${calibrated.rows} calibrated ones, which prove nothing: ${shown(calibrated.medianErrorPct)} (${fitted.map(({ name }) => name).join(', ')}).`,
    `- Furthest off: ${board.worst.map(({ figure, name, ours, paper }) => `${figure} ${name}: ${formatValue(ours)} for ${formatValue(paper)}`).join('; ')}.`,
  ].join('\n');
}

const PARTS = { summary: scoreboardSummary, whole: scoreboardMarkdown } as const;

/**
 * A page with its scoreboard made anew: what stands between `<!-- scoreboard:summary -->` or `<!-- scoreboard:whole -->`
 * and `<!-- scoreboard:end -->`.
 * @throws UsageError when the page has no such place
 */
export function withScoreboard(page: string, board: Scoreboard, origin: string): string {
  const place = /(<!-- scoreboard:(summary|whole) -->\n)[\s\S]*?(<!-- scoreboard:end -->)/;
  const found = place.exec(page);
  if (found === null)
    throw new UsageError(
      `${origin}: no <!-- scoreboard:summary --> or <!-- scoreboard:whole --> followed by <!-- scoreboard:end -->`,
    );
  const text = PARTS[found[2] as keyof typeof PARTS](board);
  return page.replace(place, (_, begin: string, __, end: string) => `${begin}${text}\n${end}`);
}
