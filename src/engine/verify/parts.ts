import { CheckError } from '../../errors.js';
import type { KvRef, Pass, PassOutcome, PassRow, RowOutcome, RowVisibility } from '../../pass/pass.js';

/**
 * Rows of a recorded pass that see each other, and what else they were entitled to see. The verifier takes passes apart
 * by itself, so that what the program does with row groups is checked, not repeated.
 */
export interface Part {
  readonly id: string;
  /** Of every row's K and V. */
  readonly version: number;
  /** It caches text: a prefill or a seal. */
  readonly fills: boolean;
  readonly rows: readonly PassRow[];
  /** Other computations that they saw: cached, or in earlier groups of the same pass. */
  readonly context: readonly KvRef[];
  readonly visibility: RowVisibility;
  /** Computed with the model's adapter for drafts. */
  readonly adapter: boolean;
  /** It belongs to a pass that denoises: its rows count for how far distributions move. */
  readonly denoises: boolean;
  /** Rows that got logits, with what was recorded. */
  readonly scored: readonly { readonly row: number; readonly recorded: RowOutcome }[];
}

/**
 * A pass without groups is one part; the groups of another are one each, named after it.
 * @throws CheckError when what was recorded is not of the rows that got logits, one for one
 */
export function partsOf(pass: Pass, outcome: PassOutcome | undefined): Part[] {
  const { id, kind, version, rows, reads, logits, visibility } = pass;
  const said = outcome?.rows ?? [];
  const wrong = logits.findIndex((row, at) => said[at]?.position !== rows[row].position);
  if (wrong >= 0 || said.length > logits.length)
    throw new CheckError(
      `pass ${id} has logits for ${logits.length} rows, and ${said.length} were recorded, or others: the record is not whole`,
    );
  const groups =
    typeof visibility === 'string'
      ? [{ kind, version, rows: rows.length, sees: [], visibility }]
      : visibility.groups;
  const spans: { readonly from: number; readonly to: number }[] = [];
  for (const group of groups) {
    const from = spans.at(-1)?.to ?? 0;
    spans.push({ from, to: from + group.rows });
  }
  return groups.map((group, index): Part => {
    const { from, to } = spans[index];
    const seen = group.sees.flatMap((other) =>
      rows
        .slice(spans[other].from, spans[other].to)
        .map(({ position }) => ({ position, version: groups[other].version })),
    );
    return {
      id: index === 0 ? id : `${id}/${index}`,
      version: group.version,
      fills: group.kind === 'prefill' || group.kind === 'seal',
      rows: rows.slice(from, to),
      context: [...reads, ...seen],
      visibility: group.visibility,
      adapter: pass.adapter === true,
      denoises: kind === 'denoise',
      scored: logits.flatMap((row, at) =>
        row >= from && row < to ? [{ row: row - from, recorded: said[at] }] : [],
      ),
    };
  });
}

/** Whether a row of a part saw another row of it. */
export function seesOwn({ rows, visibility }: Part, row: number, other: number): boolean {
  switch (visibility) {
    case 'all':
    case 'shadow':
      return true;
    case 'self':
      return row === other;
    case 'causal':
      return rows[other].position <= rows[row].position;
    case 'ordered':
      return other <= row;
  }
}

/** Whether a row of a part saw a computation of its context: a shadow is blind to its own position. */
export function seesContext({ rows, visibility }: Part, row: number, { position }: KvRef): boolean {
  return visibility !== 'shadow' || position !== rows[row].position;
}

/**
 * The row whose logits are about the position of another row. A model that shifts has them in the row before, or in the
 * row itself when that is not there. What caches text is asked about the position after it.
 */
export function predictorOf({ rows, fills, visibility }: Part, row: number, shiftLogits: boolean): number {
  if (!shiftLogits || fills || visibility === 'causal') return row;
  const before = rows.findIndex(({ position }) => position === rows[row].position - 1);
  return before < 0 ? row : before;
}
