import { DataError } from '../../src/errors.js';
import { CycleCounter } from './cycle-counter.js';
import { logLines } from './log-text.js';
import { type ProfileDialect, type ProfiledOp, parseOp } from './profile-dialects.js';
import { type ProfiledBatch, parseBatch, parseEvent, type TraceEvent } from './profile-events.js';

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
  /** The last line, when it was cut: nothing in it counts. */
  readonly cutLine: string | null;
}

const LINE = /ggml-hex: (\S+) ((?:profile-op|trace-op|trace-evt) .*|\S+ .* : op-usec .*)$/;
/** Where a cut shortens the number that counts most, and what is left is still a number. */
const CUT_IN_CYCLES = /\bcycles \d+$/;

/**
 * Reads the profile out of a log of llama.cpp's Hexagon backend (`GGML_HEXAGON_PROFILE=1`, 2 or 3, and `-v`); other
 * lines are passed over. Null when the log has no profile at all.
 *
 * @throws DataError for a profile line of no known dialect, or a log of several: a log half understood is worth nothing. A
 *   last line that was cut is told instead, for that is how a killed run leaves its log
 */
export function parseProfileLog(text: string): ProfileLog | null {
  const lines = logLines(text);
  const ended = lines.at(-1) === '';
  const last = lines.findLastIndex((line) => line.trim() !== '');
  const reader = new Reader();
  for (const line of lines.slice(0, last)) reader.line(line);
  const cut = reader.lastLine(lines[last] ?? '', ended);
  return reader.result(cut);
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

  /** @returns the line, when it was cut */
  lastLine(line: string, ended: boolean): string | null {
    if (!ended && CUT_IN_CYCLES.test(line)) return line;
    try {
      const understood = this.line(line);
      return ended || understood || this.dialect === null || !line.includes('ggml-hex:') ? null : line;
    } catch (error) {
      if (this.dialect === null || !(error instanceof UnknownDialect)) throw error;
      return line;
    }
  }

  /** @returns whether it is a line of the profile. @throws UnknownDialect when it is one and is not understood */
  line(line: string): boolean {
    const match = LINE.exec(line.trimEnd());
    if (match === null) return false;
    const [, session = '', said = ''] = match;
    // The end of one line is lost, and the next one follows: its numbers are not of this operator.
    if (said.includes('ggml-hex: ')) throw new UnknownDialect(said);
    if (said.startsWith('trace-')) {
      const event = parseEvent(session, said);
      if (event === null) throw new UnknownDialect(said);
      this.event(event);
      return true;
    }
    const batch = parseBatch(session, said);
    if (batch !== null) {
      this.counter(session).set(batch.start);
      this.batches.push(batch);
      this.see('pipes', said);
      return true;
    }
    const found = parseOp(session, said);
    if (found === null) throw new UnknownDialect(said);
    this.see(found.dialect, said);
    const { start } = found.op;
    this.ops.push({ ...found.op, startCycle: start === null ? null : this.counter(session).unwrap(start) });
    return true;
  }

  result(cutLine: string | null): ProfileLog | null {
    if (this.dialect === null) return null;
    const { dialect, ops, batches, intervals } = this;
    const left = [...this.open.values()].reduce((sum, starts) => sum + starts.length, 0);
    return { dialect, ops, batches, intervals, unpairedEvents: this.unpaired + left, cutLine };
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

class UnknownDialect extends DataError {
  constructor(said: string) {
    super(
      `profile line of an unknown dialect: "${short(said)}"; known are inline (late 2025), op-usec (early 2026), colons (spring 2026) and pipes (since). The llama.cpp on the device is newer than this program, or the log was cut`,
    );
  }
}

const short = (text: string): string => (text.length > 120 ? `${text.slice(0, 117)}...` : text);
