import { stripVTControlCharacters } from 'node:util';

export interface Column {
  /** One or more header lines. */
  readonly header: readonly string[];
  readonly align: 'left' | 'right';
}

export interface TableOptions {
  /** Spaces between columns; narrowed to 1 when the table would be wider than `maxWidth`. */
  readonly gap?: number;
  readonly maxWidth?: number;
  /** Applied to the header lines. */
  readonly styleHeader?: (line: string) => string;
}

/** Characters a terminal shows, control sequences not counted. */
export function visibleWidth(text: string): number {
  return [...stripVTControlCharacters(text)].length;
}

/** Plain text table: header, rule, rows. Cells may carry colour. Lines have no trailing space. */
export function formatTable(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
  options: TableOptions = {},
): string {
  const widths = columns.map((column, index) =>
    Math.max(...column.header.map(visibleWidth), ...rows.map((row) => visibleWidth(row[index] ?? ''))),
  );
  const content = widths.reduce((sum, width) => sum + width, 0);
  const wanted = options.gap ?? 2;
  const fits = content + wanted * (columns.length - 1) <= (options.maxWidth ?? Number.POSITIVE_INFINITY);
  const gap = ' '.repeat(fits ? wanted : 1);

  const line = (cells: readonly string[]) =>
    columns
      .map((column, index) => pad(cells[index] ?? '', widths[index] ?? 0, column.align))
      .join(gap)
      .trimEnd();
  const headerLines = Math.max(...columns.map((column) => column.header.length));
  const style = options.styleHeader ?? ((text: string) => text);
  const header = Array.from({ length: headerLines }, (_, index) =>
    // Short headers sit on the rule, not on top.
    style(line(columns.map((column) => column.header[index - headerLines + column.header.length] ?? ''))),
  );
  const rule = widths.map((width) => '-'.repeat(width)).join(gap);
  return [...header, rule, ...rows.map((row) => line(row))].join('\n');
}

/**
 * The same by header texts: `> ms` stands to the right, a line break in a header begins another line of it.
 */
export function table(
  headers: readonly string[],
  rows: readonly (readonly string[])[],
  options?: TableOptions,
): string {
  const columns = headers.map((text): Column => {
    const right = text.startsWith('> ');
    return { header: (right ? text.slice(2) : text).split('\n'), align: right ? 'right' : 'left' };
  });
  return formatTable(columns, rows, options);
}

function pad(text: string, width: number, align: 'left' | 'right'): string {
  const missing = ' '.repeat(Math.max(0, width - visibleWidth(text)));
  return align === 'left' ? text + missing : missing + text;
}

/** Breaks prose at spaces so that no line is wider than `width`; continuation lines get `indent` more. */
export function wrapText(text: string, width: number, indent = ''): string {
  const lines: string[] = [];
  const lead = text.slice(0, text.length - text.trimStart().length);
  let current = '';
  for (const word of text.split(/\s+/).filter((part) => part !== '')) {
    const next = current === '' ? lead + word : `${current} ${word}`;
    if (visibleWidth(next) > width && current !== '') {
      lines.push(current);
      current = lead + indent + word;
    } else {
      current = next;
    }
  }
  return [...lines, current].join('\n');
}
