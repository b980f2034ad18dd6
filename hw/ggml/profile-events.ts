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
  /^profile-op OPBATCH\|----\|n-ops (\d+)\|(?:evt-cnt ([\d,]+)|----)\|----\|----\|usec (\d+) cycles (\d+) start (\d+) mhz [\d.]+$/;

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
