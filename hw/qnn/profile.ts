import { DataError } from '../../src/errors.js';

/**
 * Columns of the profile that the QNN provider writes. Source: the provider's documentation and its qnn_profile code
 * (MIT); with operation tracing a further column follows.
 */
export const PROFILE_HEADER = [
  'Msg Timestamp',
  'Message',
  'Time',
  'Unit of Measurement',
  'Timing Source',
  'Event Level',
  'Event Identifier',
] as const;
const TRACE_COLUMN = 'ONNX Source Ops';

/** One node of the compiled graph in one execution. */
export interface NodeProfile {
  /** Name of the ONNX node, or the backend's own name for what it added (`Input`, `Output`). */
  readonly node: string;
  readonly cycles: number | null;
  readonly us: number | null;
}

/** One execution of the graph. */
export interface ExecutionProfile {
  /** Around the execution, as the backend saw it. */
  readonly us: number;
  /** On the accelerator; null where the backend has none. */
  readonly acceleratorUs: number | null;
  readonly acceleratorCycles: number | null;
  readonly nodes: readonly NodeProfile[];
}

export interface QnnProfile {
  /** Time that compiling or loading the graph took; null when the file does not say. */
  readonly finalizeUs: number | null;
  readonly executions: readonly ExecutionProfile[];
}

interface Row {
  readonly line: number;
  readonly message: string;
  readonly value: number;
  readonly unit: string;
  readonly root: boolean;
  readonly event: string;
}

const ACCELERATOR = 'Accelerator (execute) time';

/**
 * Reads a profile (level `basic` or `detailed`). The rows of an execution precede the row that closes it on the HTP
 * backend, and follow it on the CPU backend; both orders are recognised by what stands first.
 *
 * @param label what errors call the file
 * @throws DataError for an unknown header, a row of another width or a value that is no number
 */
export function parseQnnProfile(text: string, label: string): QnnProfile {
  const rows = readRows(text, label);
  const finalize = rows.find(({ message, root }) => root && message === 'FINALIZE');
  return { finalizeUs: finalize?.value ?? null, executions: executionsOf(rows) };
}

function readRows(text: string, label: string): Row[] {
  // A process that was killed leaves the last line unfinished.
  const [header = '', ...lines] = text.slice(0, text.lastIndexOf('\n') + 1).split(/\r?\n/);
  const columns = header.split(',');
  const traced = columns.at(-1) === TRACE_COLUMN;
  const known = PROFILE_HEADER.join() === (traced ? columns.slice(0, -1) : columns).join();
  if (!known) throw new DataError(`${label}: "${header.slice(0, 120)}" is not the header of a QNN profile`);
  return lines.flatMap((line, index) => {
    if (line.trim() === '') return [];
    const fields = line.split(',');
    // Names of nodes may have commas; the columns before them have none.
    const [, message = '', value = '', unit = '', , level = '', ...rest] = fields;
    const at = `${label}: line ${index + 2}`;
    if (fields.length < PROFILE_HEADER.length) throw new DataError(`${at} has ${fields.length} columns`);
    if (!/^\d+$/.test(value)) throw new DataError(`${at}: "${value}" is no time`);
    if (level !== 'ROOT' && level !== 'SUB-EVENT') throw new DataError(`${at}: unknown level "${level}"`);
    const event = (traced ? rest.slice(0, -1) : rest).join(',');
    return [{ line: index + 2, message, value: Number(value), unit, root: level === 'ROOT', event }];
  });
}

function executionsOf(rows: readonly Row[]): ExecutionProfile[] {
  const found: { head: Row | null; body: Row[] }[] = [];
  let open: { head: Row | null; body: Row[] } | null = null;
  for (const row of rows) {
    const { message, root } = row;
    if (root && message === 'EXECUTE') {
      // On the HTP backend this row closes what came before; on the CPU backend it opens what comes after.
      if (open !== null && open.head === null) {
        open.head = row;
        open = null;
      } else {
        open = { head: row, body: [] };
        found.push(open);
      }
    } else if (root && message === 'BACKEND') {
      if (open === null || open.head !== null) {
        open = { head: null, body: [] };
        found.push(open);
      }
      open.body.push(row);
    } else if (root) open = null;
    else open?.body.push(row);
  }
  // An execution without its closing row was cut off.
  return found.flatMap(({ head, body }) => (head === null ? [] : [executionOf(head, body)]));
}

function executionOf(head: Row, body: readonly Row[]): ExecutionProfile {
  const root = (event: string, unit: string) =>
    body.find((row) => row.root && row.event === event && row.unit === unit)?.value ?? null;
  const nodes = body.filter(({ message, root: isRoot }) => !isRoot && message === 'NODE');
  return {
    us: head.value,
    acceleratorUs: root(ACCELERATOR, 'US'),
    acceleratorCycles: root(`${ACCELERATOR} (cycles)`, 'CYCLES'),
    nodes: nodes.map(({ event, unit, value }) => ({
      node: nodeName(event),
      cycles: unit === 'CYCLES' ? value : null,
      us: unit === 'US' ? value : null,
    })),
  };
}

/** `blk.0.attn_k:OpId_37 (cycles)` on HTP, `_blk.0.attn_k` on the CPU backend, `Input OpId_2 (cycles)` of HTP's own. */
function nodeName(event: string): string {
  return event
    .replace(/ \(cycles\)$/, '')
    .replace(/[: ]OpId_\d+$/, '')
    .replace(/^_/, '');
}
