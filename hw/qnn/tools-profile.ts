import { DataError } from '../../src/errors.js';
import { type ExecutionProfile, PROFILE_HEADER } from './profile.js';

interface Row {
  readonly message: string;
  readonly value: number;
  readonly unit: string;
  readonly root: boolean;
  readonly event: string;
}

const CYCLES = 'Accelerator (execute) time (cycles)';
const ACCELERATOR_US = ['Accelerator (execute) time', 'QNN accelerator (execute) time'];
const EXECUTE_US = ['QNN (execute) time'];

/**
 * Reads the CSV of qnn-profile-viewer for a run of qnn-net-run: the k-th row of every kind belongs to the k-th execution,
 * and operators stand below the cycles they add up to.
 *
 * @throws DataError for another header, a row that cannot be read, or counts of rows that do not fit together
 */
export function parseViewerCsv(text: string, label: string): ExecutionProfile[] {
  const rows = readRows(text, label);
  const roots = rows.filter(({ root, message }) => root && message === 'EXECUTE');
  const values = (names: readonly string[], unit: string) =>
    names
      .map((name) => roots.filter((row) => row.event === name && row.unit === unit).map(({ value }) => value))
      .find(({ length }) => length > 0) ?? [];
  const cycles = values([CYCLES], 'CYCLES');
  const accelerator = values(ACCELERATOR_US, 'US');
  const execute = values(EXECUTE_US, 'US');
  const executions = Math.max(cycles.length, accelerator.length, execute.length);
  for (const [name, list] of Object.entries({ cycles, accelerator, execute })) {
    if (list.length !== 0 && list.length !== executions) {
      throw new DataError(`${label}: ${list.length} times "${name}" for ${executions} executions`);
    }
  }
  const nodes = nodesPerExecution(rows, executions);
  return Array.from({ length: executions }, (_, at) => ({
    us: execute[at] ?? accelerator[at] ?? 0,
    acceleratorUs: accelerator[at] ?? null,
    acceleratorCycles: cycles[at] ?? null,
    nodes: nodes[at] ?? [],
  }));
}

function nodesPerExecution(rows: readonly Row[], executions: number): ExecutionProfile['nodes'][] {
  const found: { node: string; cycles: number | null; us: number | null }[][] = [];
  let below: (typeof found)[number] | null = null;
  for (const { message, root, event, unit, value } of rows) {
    if (message !== 'EXECUTE') below = null;
    else if (root) {
      below = event === CYCLES ? [] : null;
      if (below !== null) found.push(below);
    } else if (unit === 'CYCLES') {
      below?.push({ node: event.replace(/(:OpId_\d+)? \(cycles\)$/, ''), cycles: value, us: null });
    }
  }
  return found.length === executions ? found : [];
}

/** The table begins after some lines about the log; its header may have spaces after the commas. */
function readRows(text: string, label: string): Row[] {
  const lines = text.split(/\r?\n/);
  const isHeader = (line: string) =>
    line
      .split(',')
      .map((column) => column.trim())
      .slice(0, PROFILE_HEADER.length)
      .join() === PROFILE_HEADER.join();
  const header = lines.findIndex(isHeader);
  if (header < 0) {
    throw new DataError(
      `${label}: no line has the columns of qnn-profile-viewer (${PROFILE_HEADER.join(', ')})`,
    );
  }
  return lines.slice(header + 1).flatMap((line, index) => {
    if (line.trim() === '') return [];
    const fields = line.split(',').map((field) => field.trim());
    const [, message = '', value = '', unit = '', , level = '', ...event] = fields;
    if (fields.length < PROFILE_HEADER.length || !/^\d+(\.\d+)?$/.test(value)) {
      throw new DataError(`${label}: line ${header + index + 2} is no event: "${line.slice(0, 120)}"`);
    }
    return [{ message, value: Number(value), unit, root: level === 'ROOT', event: event.join(',') }];
  });
}
