import { DataError } from '../../src/errors.js';
import { CycleCounter } from './cycle-counter.js';
import {
  type ProfileDialect,
  type ProfiledBatch,
  type ProfiledOp,
  parseBatch,
  parseEvent,
  parseOp,
  type TraceEvent,
} from './profile-dialects.js';

/** An operator with its start on an axis that does not wrap. */
export interface PlacedOp extends ProfiledOp {
  /** Cycles since the counter's own zero; null in dialects that do not print a start. */
  readonly startCycle: number | null;
}

/** What one unit did for a while: a DMA transfer, a stretch of a vector thread, of the matrix unit. */
export interface TraceInterval {
  readonly session: string;
  readonly event: string;
  readonly thread: number;
  readonly info: number;
  readonly startCycle: number;
  readonly cycles: number;
}

export interface ProfileLog {
  readonly dialect: ProfileDialect;
  readonly ops: readonly PlacedOp[];
  readonly batches: readonly ProfiledBatch[];
  readonly intervals: readonly TraceInterval[];
  /** Events whose other end is not in the log: the trace buffer was full, or the log was cut. */
  readonly unpairedEvents: number;
}

const LINE = /ggml-hex: (\S+) ((?:profile-op|trace-op|trace-evt) .*)$/;

/**
 * Reads the profile out of a log of llama.cpp's Hexagon backend (`GGML_HEXAGON_PROFILE=1`, 2 or 3, and `-v`); other
 * lines are passed over. Null when the log has no profile at all.
 *
 * @throws DataError for a profile line of no known dialect, or a log of several: a log half understood is worth nothing
 */
export function parseProfileLog(text: string): ProfileLog | null {
  const reader = new Reader();
  for (const line of text.split(/\r?\n/)) reader.line(line);
  return reader.result();
}

class Reader {
  private dialect: ProfileDialect | null = null;
  private readonly ops: PlacedOp[] = [];
  private readonly batches: ProfiledBatch[] = [];
  private readonly intervals: TraceInterval[] = [];
  private readonly open = new Map<string, number[]>();
  private unpaired = 0;
  /** Every session has a DSP thread and a counter of its own. */
  private readonly counters = new Map<string, CycleCounter>();

  line(line: string): void {
    const match = LINE.exec(line.trimEnd());
    if (match === null) return;
    const [, session = '', said = ''] = match;
    if (!said.startsWith('profile-op ')) {
      const event = parseEvent(session, said);
      if (event === null) throw unknown(said);
      this.event(event);
      return;
    }
    const text = said.slice('profile-op '.length);
    const batch = parseBatch(session, text);
    if (batch !== null) {
      this.counter(session).set(batch.start);
      this.batches.push(batch);
      this.see('pipes', said);
      return;
    }
    const found = parseOp(session, text);
    if (found === null) throw unknown(said);
    this.see(found.dialect, said);
    const { start } = found.op;
    this.ops.push({ ...found.op, startCycle: start === null ? null : this.counter(session).unwrap(start) });
  }

  result(): ProfileLog | null {
    if (this.dialect === null) return null;
    const { dialect, ops, batches, intervals } = this;
    const left = [...this.open.values()].reduce((sum, starts) => sum + starts.length, 0);
    return { dialect, ops, batches, intervals, unpairedEvents: this.unpaired + left };
  }

  private see(dialect: ProfileDialect, said: string): void {
    if (this.dialect !== null && this.dialect !== dialect) {
      throw new DataError(
        `the profile log changes its dialect from ${this.dialect} to ${dialect} at "${short(said)}": one run has one`,
      );
    }
    this.dialect = dialect;
  }

  private event({ session, event, thread, info, edge, cycle }: TraceEvent): void {
    const key = `${session} ${thread} ${event} ${info}`;
    const at = this.counter(session).unwrap(cycle);
    const starts = this.open.get(key) ?? [];
    this.open.set(key, starts);
    if (edge === 'start') {
      starts.push(at);
      return;
    }
    const startCycle = starts.pop();
    if (startCycle === undefined) this.unpaired++;
    else this.intervals.push({ session, event, thread, info, startCycle, cycles: at - startCycle });
  }

  private counter(session: string): CycleCounter {
    const counter = this.counters.get(session) ?? new CycleCounter();
    this.counters.set(session, counter);
    return counter;
  }
}

function unknown(said: string): DataError {
  return new DataError(
    `profile line of an unknown dialect: "${short(said)}"; known are op-usec (to early 2026), colons (spring 2026) and pipes (since). The llama.cpp on the device is newer than this program, or the log was cut`,
  );
}

const short = (text: string): string => (text.length > 120 ? `${text.slice(0, 117)}...` : text);
