import { DataError } from '../errors.js';

/** What a field of a table may hold. */
export type Cell = string | number | boolean | null;

/**
 * Splits comma-separated text (RFC 4180: fields may be quoted, a quote inside is doubled) into records of fields.
 * Empty lines are skipped; a byte-order mark is ignored.
 * @throws DataError for unbalanced quotes
 */
export function parseCsv(text: string): string[][] {
  const records: string[][] = [];
  let record: string[] = [];
  const end = (): void => {
    if (record.length > 1 || record[0] !== '') records.push(record);
    record = [];
  };
  const field = /("(?:[^"]|"")*"|(?:[^",\r\n][^,\r\n]*)?)(,|\r\n|\n|\r|$)/gy;
  const source = text.replace(/^\uFEFF/, '');
  for (;;) {
    const match = field.exec(source);
    if (match === null)
      throw new DataError(`malformed CSV in record ${records.length + 1}: unbalanced quotes`);
    const [, raw = '', separator] = match;
    record.push(raw.startsWith('"') ? raw.slice(1, -1).replaceAll('""', '"') : raw);
    if (separator === ',') continue;
    end();
    if (separator === '') return records;
  }
}

/** Rows as comma-separated text: RFC 4180 with `\n` line ends; null is an empty cell. */
export function formatCsv(rows: readonly (readonly Cell[])[]): string {
  return rows.map((row) => `${row.map(formatCell).join(',')}\n`).join('');
}

function formatCell(cell: Cell): string {
  const text = cell === null ? '' : String(cell);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
