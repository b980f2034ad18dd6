import type { ConstantNode, FunctionNode, MathNode, OperatorNode, ParenthesisNode } from 'mathjs';
import { UsageError } from '../../src/errors.js';
import type { Cell } from '../../src/util/csv.js';
import { unknownName } from '../../src/util/nearest.js';
import type { RunRecord } from './record.js';
import { runRow } from './table.js';

type Row = Readonly<Record<string, Cell>>;
type Evaluate = (row: Row) => number;
type Operation = (...values: number[]) => number;

/** A number that a user computes from the columns of a run. */
export interface Metric {
  readonly name: string;
  /** Columns that it is made of. */
  readonly columns: readonly string[];
  /**
   * Null where the run lacks one of the columns, and where the result is no finite number.
   * @throws UsageError for a column that holds text in this run
   */
  of(row: Row): number | null;
}

/** By the name that mathjs gives the operator. */
const OPERATORS: Readonly<Record<string, Operation>> = {
  add: (a, b) => a + b,
  subtract: (a, b) => a - b,
  multiply: (a, b) => a * b,
  divide: (a, b) => a / b,
  pow: (a, b) => a ** b,
  unaryMinus: (a) => -a,
  unaryPlus: (a) => a,
};

const { abs, cbrt, ceil, exp, floor, log, log10, log2, max, min, pow, round, sign, sqrt } = Math;
const FUNCTIONS: Readonly<Record<string, Operation>> = {
  abs,
  cbrt,
  ceil,
  exp,
  floor,
  log,
  log10,
  log2,
  max,
  min,
  pow,
  round,
  sign,
  sqrt,
};

/**
 * Reads metrics as a user types them: `seconds / tokens`, or with a name `s_per_token = seconds / tokens`. Arithmetic
 * over columns with {@link FUNCTIONS}; mathjs only reads the text and runs nothing of it.
 * @throws UsageError for what is no such expression, and for an unknown function with the nearest ones
 */
export async function readMetrics(texts: readonly string[]): Promise<Metric[]> {
  if (texts.length === 0) return [];
  const { parse } = await import('mathjs/number');
  return texts.map((text) => {
    const [, name, expression] = /^\s*([A-Za-z_]\w*)\s*=(?!=)(.*)$/s.exec(text) ?? ['', text.trim(), text];
    let tree: MathNode;
    try {
      tree = parse(expression);
    } catch (error) {
      throw new UsageError(`metric "${text}": ${error instanceof Error ? error.message : String(error)}`);
    }
    const columns: string[] = [];
    const evaluate = evaluatorOf(tree, { text, columns });
    return {
      name,
      columns,
      of: (row) => {
        for (const column of columns) if ((row[column] ?? null) === null) return null;
        const value = evaluate(row);
        return Number.isFinite(value) ? value : null;
      },
    };
  });
}

/**
 * Metrics over rows of runs, as `results export` has them: the metrics, or the plain columns, that a user names.
 * @throws UsageError as {@link readMetrics}, and for an unknown column with the nearest ones
 */
export async function metricsOver(rows: readonly Row[], texts: readonly string[]): Promise<Metric[]> {
  const known = [...new Set(rows.flatMap(Object.keys))];
  const metrics = await readMetrics(texts);
  for (const { name, columns } of metrics) {
    const unknown = columns.find((column) => !known.includes(column));
    if (unknown !== undefined) throw inMetric(name, unknownName('column', unknown, known));
  }
  return metrics;
}

/**
 * A user's metrics of runs, by name.
 * @throws UsageError as {@link metricsOver}, and for a name that a column has
 */
export async function userMetrics(
  records: readonly RunRecord[],
  texts: readonly string[],
): Promise<Record<string, number | null>[]> {
  if (records.length === 0) return [];
  const rows = records.map(runRow);
  const metrics = await metricsOver(rows, texts);
  const taken = metrics.find(({ name }) => rows.some((row) => Object.hasOwn(row, name)));
  if (taken !== undefined) throw new UsageError(`metric "${taken.name}": runs have a column of that name`);
  return rows.map((row) => Object.fromEntries(metrics.map((metric) => [metric.name, metric.of(row)])));
}

interface Reading {
  readonly text: string;
  /** Receives the columns that occur. */
  readonly columns: string[];
}

function evaluatorOf(node: MathNode, reading: Reading): Evaluate {
  switch (node.type) {
    case 'ConstantNode': {
      const { value } = node as ConstantNode;
      if (typeof value === 'number') return () => value;
      break;
    }
    case 'ParenthesisNode':
      return evaluatorOf((node as ParenthesisNode).content, reading);
    case 'OperatorNode': {
      const { fn, args } = node as OperatorNode;
      if (Object.hasOwn(OPERATORS, fn)) return applied(OPERATORS[fn], args, reading);
      break;
    }
    case 'FunctionNode': {
      const name = String((node as FunctionNode).fn);
      const { args } = node as FunctionNode;
      if (!Object.hasOwn(FUNCTIONS, name))
        throw inMetric(reading.text, unknownName('function', name, Object.keys(FUNCTIONS)));
      const of = FUNCTIONS[name];
      const enough = of === max || of === min ? args.length > 0 : args.length === of.length;
      if (enough) return applied(of, args, reading);
      break;
    }
    case 'SymbolNode':
    case 'AccessorNode':
      if (/^\w+(\.\w+)*$/.test(node.toString())) return columnOf(node, reading);
  }
  throw new UsageError(`metric "${reading.text}": "${node.toString()}" is no arithmetic over columns`);
}

function applied(of: Operation, args: readonly MathNode[], reading: Reading): Evaluate {
  const values = args.map((arg) => evaluatorOf(arg, reading));
  return (row) => of(...values.map((value) => value(row)));
}

/** A column by its name, which points may divide. */
function columnOf(node: MathNode, reading: Reading): Evaluate {
  const name = node.toString();
  reading.columns.push(name);
  return (row) => {
    const value = row[name];
    if (typeof value === 'number') return value;
    throw new UsageError(`metric "${reading.text}": ${name} is "${value}", no number`);
  };
}

function inMetric(metric: string, { message }: UsageError): UsageError {
  return new UsageError(`metric "${metric}": ${message}`);
}
