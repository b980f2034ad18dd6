import { parquetWriteBuffer } from 'hyparquet-writer';
import type { Cell } from '../../src/util/csv.js';
import type { RunTable } from './table.js';

/**
 * The table as a Parquet file. Columns of numbers are DOUBLE, of truth values BOOLEAN, all others UTF-8 strings;
 * every column may hold nulls. A column without any value is left out, as it has no type.
 */
export function formatParquet({ columns, rows }: RunTable): Uint8Array {
  const columnData = columns.flatMap((name, at) => {
    const data = rows.map((row) => row[at] ?? null);
    const type = typeOf(data);
    if (type === null) return [];
    return [{ name, type, nullable: true, data: type === 'STRING' ? data.map(textOf) : data }];
  });
  return new Uint8Array(parquetWriteBuffer({ columnData }));
}

function typeOf(data: readonly Cell[]): 'DOUBLE' | 'BOOLEAN' | 'STRING' | null {
  const kinds = new Set(data.filter((cell) => cell !== null).map((cell) => typeof cell));
  if (kinds.size === 0) return null;
  if (kinds.size > 1) return 'STRING';
  return kinds.has('number') ? 'DOUBLE' : kinds.has('boolean') ? 'BOOLEAN' : 'STRING';
}

const textOf = (cell: Cell): string | null => (cell === null ? null : String(cell));
