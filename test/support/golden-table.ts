import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { project } from '../../src/util/project-root.js';

type Cell = string | number | boolean | null;

/** Digits that are kept: sums in another order agree in them, and nothing else does. */
const DIGITS = 9;
const MOST_SHOWN = 8;

/**
 * A table of what came out of many cases, every field of each, in `test/golden/costs/NAME.json`: a line per case, as the number of
 * its list of fields and their values. `DLLM_WRITE_HASHES=1 npx vitest run test/sim/costs` writes the tables anew; look at the
 * difference first.
 */
export class GoldenTable {
  private readonly path: string;
  private readonly fields: string[];
  private readonly rows: Map<string, readonly [number, ...Cell[]]>;

  constructor(private readonly name: string) {
    this.path = join(project().root, 'test/golden/costs', `${name}.json`);
    const { fields, rows } = existsSync(this.path)
      ? (JSON.parse(readFileSync(this.path, 'utf8')) as {
          fields: string[];
          rows: Record<string, [number, ...Cell[]]>;
        })
      : { fields: [], rows: {} };
    this.fields = fields;
    this.rows = new Map(Object.entries(rows));
  }

  /**
   * Compares what came out with the table.
   * @param part of the table; its rows are named `PART: CASE`
   * @throws Error naming table, case, field and both values
   */
  holds(part: string, cases: Readonly<Record<string, unknown>>): void {
    if (process.env.DLLM_WRITE_HASHES !== undefined) this.write(part, cases);
    const wrong: string[] = [];
    const seen = new Set<string>();
    for (const [name, outcome] of Object.entries(cases)) {
      const row = `${part}: ${name}`;
      seen.add(row);
      const known = this.rows.get(row);
      const now = flat(outcome);
      if (known === undefined) wrong.push(`${row}: is not in the table`);
      else this.compare(row, known, now, wrong);
    }
    for (const row of this.rows.keys())
      if (row.startsWith(`${part}: `) && !seen.has(row)) wrong.push(`${row}: is no more`);
    if (wrong.length === 0) return;
    const shown = wrong.slice(0, MOST_SHOWN).join('\n');
    throw new Error(
      `${this.name}, ${wrong.length} differences:\n${shown}\nIf that is meant: DLLM_WRITE_HASHES=1 npx vitest run test/sim/costs`,
    );
  }

  private compare(
    row: string,
    [list, ...values]: readonly [number, ...Cell[]],
    now: ReadonlyMap<string, Cell>,
    wrong: string[],
  ): void {
    const names = this.fields[list].split(' ');
    names.forEach((name, at) => {
      const is = now.has(name) ? now.get(name) : 'nothing';
      if (is !== values[at]) wrong.push(`${row}: ${name} was ${values[at]}, is ${is}`);
    });
    for (const [name, is] of now)
      if (!names.includes(name)) wrong.push(`${row}: ${name} was nothing, is ${is}`);
  }

  private write(part: string, cases: Readonly<Record<string, unknown>>): void {
    for (const row of this.rows.keys()) if (row.startsWith(`${part}: `)) this.rows.delete(row);
    for (const [name, outcome] of Object.entries(cases)) {
      const now = flat(outcome);
      const names = [...now.keys()].join(' ');
      let list = this.fields.indexOf(names);
      if (list < 0) list = this.fields.push(names) - 1;
      this.rows.set(`${part}: ${name}`, [list, ...now.values()]);
    }
    const sorted = [...this.rows].sort(([a], [b]) => (a < b ? -1 : 1));
    this.rows.clear();
    for (const [row, values] of sorted) this.rows.set(row, values);
    // Lists that no row has left stand no more.
    const used = [...new Set([...this.rows.values()].map(([list]) => list))];
    const renamed = used.map((list) => this.fields[list]);
    const lines = [...this.rows].map(
      ([row, [list, ...values]]) =>
        `${JSON.stringify(row)}: ${JSON.stringify([used.indexOf(list), ...values])}`,
    );
    for (const [row, [list, ...values]] of this.rows) this.rows.set(row, [used.indexOf(list), ...values]);
    this.fields.splice(0, this.fields.length, ...renamed);
    const fields = renamed.map((names) => JSON.stringify(names)).join(',\n');
    writeFileSync(this.path, `{"fields": [\n${fields}\n], "rows": {\n${lines.join(',\n')}\n}}\n`);
  }
}

/** Every leaf of a value by its path, without blanks: `pipelines.0.chunk.loadMs`. */
function flat(value: unknown): Map<string, Cell> {
  const leaves = new Map<string, Cell>();
  const visit = (at: unknown, path: string): void => {
    if (at === undefined || typeof at === 'function') return;
    if (at === null || typeof at !== 'object') {
      leaves.set(path, typeof at === 'number' ? rounded(at) : (at as Cell));
      return;
    }
    const entries = at instanceof Map ? [...at] : Object.entries(at);
    if (entries.length === 0) leaves.set(path, Array.isArray(at) ? '[]' : '{}');
    for (const [name, inner] of entries)
      visit(inner, `${path === '' ? '' : `${path}.`}${String(name).replaceAll(' ', '-')}`);
  };
  visit(value, '');
  return leaves;
}

function rounded(value: number): Cell {
  if (!Number.isFinite(value)) return String(value);
  return Number.isInteger(value) ? value + 0 : Number(value.toPrecision(DIGITS));
}

/** Many values as one word, for lists too long for a table. */
export function digest(values: unknown): string {
  const text = [...flat(values)].map(([name, value]) => `${name} ${value}`).join('\n');
  return createHash('sha256').update(text).digest('hex').slice(0, 10);
}
