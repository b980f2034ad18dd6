import type { AblationRow } from './types.js';

/**
 * What fails a ladder, one sentence each: a row whose tokens must be those of another and are not, and a row whose
 * predictions are not those of its own specification. A row that may differ fails nothing.
 */
export function wrongRows(rows: readonly AblationRow[]): string[] {
  return rows.flatMap(({ name, token_exact: { verdict, against, specification } }) => [
    ...(verdict === 'diverges' ? [`${name}: tokens differ from ${against}`] : []),
    ...(specification !== undefined && specification.mismatches > 0
      ? [
          `${name}: ${specification.mismatches} of ${specification.rows} predictions differ from their specification`,
        ]
      : []),
  ]);
}
