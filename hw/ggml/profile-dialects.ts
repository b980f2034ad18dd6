/**
 * How the Hexagon backend of llama.cpp prints what an operator took. The format changed three times:
 * `op-usec` (up to early 2026) counts packets, `colons` (spring 2026) drops them for counters of the PMU, `pipes` (since
 * then) adds the kernel and the start of the operator, so that intervals can be placed on one axis.
 */
export type ProfileDialect = 'op-usec' | 'colons' | 'pipes';

/** Fields of one operator line; null where a dialect does not have it. */
export interface ProfiledOp {
  /** Session of the backend, e.g. `HTP0`. */
  readonly session: string;
  /** Operator, or operators fused into one: `MUL_MAT`, `RMS_NORM+MUL`. */
  readonly op: string;
  /** `blk.0.attn_q.weight x attn_norm-0 -> Qcur-0`. */
  readonly names: string;
  /** Extents as printed, innermost first: `3072:8192 x 3072:1 -> 8192:1`. */
  readonly dims: string;
  readonly types: string;
  readonly strides: string;
  readonly buffers: string | null;
  /** Kernel and its parameters, e.g. `hmx-tiled vtcm 8000000`. */
  readonly kernel: string | null;
  readonly us: number;
  readonly cycles: number;
  /** Cycle counter at the start, 32 bits as printed. */
  readonly start: number | null;
  readonly mhz: number | null;
  readonly packets: number | null;
  /** Time of the call as the host saw it. */
  readonly callUs: number | null;
  /** Eight counters of the performance monitoring unit. */
  readonly pmu: readonly number[] | null;
}

interface Grammar {
  readonly dialect: ProfileDialect;
  readonly separator: string;
  /** Fields between the operator and what was measured. The first may hold the separator itself. */
  readonly fields: readonly ('names' | 'dims' | 'types' | 'strides' | 'buffers' | 'kernel')[];
  /** What was measured: the last field. */
  readonly measured: RegExp;
}

const PMU = String.raw`(?: pmu \[(?<pmu>[\d,]+)\])?`;

const GRAMMARS: readonly Grammar[] = [
  {
    dialect: 'op-usec',
    separator: ' : ',
    fields: ['names', 'dims', 'types', 'strides', 'buffers'],
    measured:
      /^op-usec (?<us>\d+) op-cycles (?<cycles>\d+) op-pkts (?<packets>\d+) \(\S+\) call-usec (?<callUs>\d+)$/,
  },
  {
    dialect: 'colons',
    separator: ' : ',
    fields: ['names', 'dims', 'types', 'strides'],
    measured: new RegExp(
      String.raw`^usec (?<us>\d+) cycles (?<cycles>\d+)(?: start (?<start>\d+))?(?: mhz (?<mhz>[\d.]+))?${PMU}(?: evt \[[\d,]*\])?$`,
    ),
  },
  {
    dialect: 'pipes',
    separator: '|',
    fields: ['names', 'dims', 'types', 'strides', 'kernel'],
    measured: new RegExp(
      String.raw`^usec (?<us>\d+) cycles (?<cycles>\d+) start (?<start>\d+) mhz (?<mhz>[\d.]+)${PMU}$`,
    ),
  },
];

/** An operator line after `profile-op `, and the dialect it is of; null when it is of none. */
export function parseOp(session: string, text: string): { dialect: ProfileDialect; op: ProfiledOp } | null {
  for (const grammar of GRAMMARS) {
    const op = opOf(session, text, grammar);
    if (op !== null) return { dialect: grammar.dialect, op };
  }
  return null;
}

function opOf(session: string, text: string, { separator, fields, measured }: Grammar): ProfiledOp | null {
  // The operator ends at the first bar, or at a colon.
  const end = text.indexOf(separator === '|' ? '|' : ': ');
  if (end <= 0) return null;
  const parts = text.slice(end + (separator === '|' ? 1 : 2)).split(separator);
  const found = measured.exec(parts.pop() ?? '')?.groups;
  const spare = parts.length - fields.length;
  if (found === undefined || spare < 0) return null;
  const values = [parts.slice(0, spare + 1).join(separator), ...parts.slice(spare + 1)];
  const field = (name: Grammar['fields'][number]) => values[fields.indexOf(name)] ?? null;
  const number = (name: string) => (found[name] === undefined ? null : Number(found[name]));
  return {
    session,
    op: text.slice(0, end),
    names: field('names') ?? '',
    dims: field('dims') ?? '',
    types: field('types') ?? '',
    strides: field('strides') ?? '',
    buffers: field('buffers'),
    kernel: field('kernel'),
    us: number('us') ?? 0,
    cycles: number('cycles') ?? 0,
    start: number('start'),
    mhz: number('mhz'),
    packets: number('packets'),
    callUs: number('callUs'),
    pmu: found.pmu === undefined ? null : found.pmu.split(',').map(Number),
  };
}

/** One line of the whole batch, in the dialect `pipes`: `OPBATCH|----|n-ops 12|evt-cnt ...|----|----|usec ...`. */
export interface ProfiledBatch {
  readonly session: string;
  readonly ops: number;
  readonly us: number;
  readonly cycles: number;
  /** Cycle counter at the start, all 64 bits. */
  readonly start: number;
  /** Trace events per thread that were wanted; more than the buffer holds are lost. */
  readonly events: readonly number[] | null;
}

const BATCH =
  /^OPBATCH\|----\|n-ops (\d+)\|(?:evt-cnt ([\d,]+)|----)\|----\|----\|usec (\d+) cycles (\d+) start (\d+) mhz [\d.]+$/;

export function parseBatch(session: string, text: string): ProfiledBatch | null {
  const match = BATCH.exec(text);
  if (match === null) return null;
  const [, ops, events, us, cycles, start] = match;
  return {
    session,
    ops: Number(ops),
    us: Number(us),
    cycles: Number(cycles),
    start: Number(start),
    events: events === undefined ? null : events.split(',').map(Number),
  };
}

/** Begin or end of an interval on one thread; thread 10 is the matrix unit. */
export interface TraceEvent {
  readonly session: string;
  /** `DMA`, `HVX_COMP`, `HVX_W_DEQUANT`, `HMX_COMP`, ... */
  readonly event: string;
  readonly thread: number;
  readonly info: number;
  readonly edge: 'start' | 'stop';
  /** Cycle counter, 32 bits as printed. */
  readonly cycle: number;
}

const EVENT = /^trace-evt (\S+): thread (\d+) info (\d+) (start|stop) (\d+)$/;
/** The form of spring 2026, which repeats the operator. */
const OP_EVENT = /^trace-op \S+: thread (\d+) event (\S+) info (\d+) (start|stop) (\d+)$/;

export function parseEvent(session: string, text: string): TraceEvent | null {
  const now = EVENT.exec(text);
  const then = OP_EVENT.exec(text);
  const found = now ?? then;
  if (found === null) return null;
  const [, first = '', second = '', info, edge, cycle] = found;
  const [event, thread] = now === null ? [second, first] : [first, second];
  return {
    session,
    event,
    thread: Number(thread),
    info: Number(info),
    cycle: Number(cycle),
    edge: edge as 'start' | 'stop',
  };
}
