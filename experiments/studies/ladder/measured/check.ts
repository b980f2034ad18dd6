import type { MeasuredRow } from './types.js';

/** Rows whose tokens must be those of another row and are not, a sentence each. */
export function wrongMeasuredRows(rows: readonly MeasuredRow[]): string[] {
  return rows.flatMap(({ name, tokens: { equal, against, reason, different, compared } }) =>
    equal || reason !== null ? [] : [`${name}: ${different} of ${compared} tokens differ from ${against}`],
  );
}
