import { type CpuWork, cpuMs } from './cpu-model.js';

/** What the main path does; side work gets the rest. */
export type Regime = 'npu' | 'cpu';

export interface RegimeSpan {
  readonly regime: Regime;
  readonly startMs: number;
  readonly endMs: number;
}

/** A regime with staging copies told apart. */
export interface SharedSpan extends RegimeSpan {
  readonly copying: boolean;
}

/**
 * Cuts spans where staging copies start and end.
 * @param copies in order, not overlapping
 */
export function splitAtCopies(
  spans: readonly RegimeSpan[],
  copies: readonly { readonly startMs: number; readonly endMs: number }[],
): SharedSpan[] {
  const cut: SharedSpan[] = [];
  for (const { regime, startMs, endMs } of spans) {
    let nowMs = startMs;
    const until = (stopMs: number, copying: boolean): void => {
      const end = Math.min(stopMs, endMs);
      if (end <= nowMs) return;
      cut.push({ regime, copying, startMs: nowMs, endMs: end });
      nowMs = end;
    };
    for (const copy of copies) {
      until(copy.startMs, false);
      until(copy.endMs, true);
    }
    until(endMs, false);
  }
  return cut;
}

/** What side work gets in a regime. */
export interface SideShare {
  readonly threads: number;
  readonly bytesPerMs: number;
}

interface SideJob {
  readonly id: string;
  readonly work: CpuWork;
  /** Part of the work left, 1 at launch. */
  left: number;
}

export interface SideSpan {
  readonly id: string;
  readonly startMs: number;
  readonly endMs: number;
}

export interface SideProgress {
  readonly completed: readonly string[];
  readonly spans: readonly SideSpan[];
  /** Sum over threads of busy time. */
  readonly threadMs: number;
  readonly bytes: number;
}

/**
 * Passes beside the main path, in order of launch, one at a time on the refresh threads. They run on what the
 * main path leaves: its cores and its DRAM come first, so side work never delays it.
 */
export class SideWork {
  private readonly jobs: SideJob[] = [];

  constructor(private readonly share: (regime: Regime, copying: boolean) => SideShare) {}

  get inFlight(): number {
    return this.jobs.length;
  }

  launch(id: string, work: CpuWork): void {
    this.jobs.push({ id, work, left: 1 });
  }

  clear(): void {
    this.jobs.length = 0;
  }

  /** Lets the jobs run through consecutive spans of the main path. */
  advance(spans: readonly SharedSpan[]): SideProgress {
    const completed: string[] = [];
    const ran: SideSpan[] = [];
    let threadMs = 0;
    let bytes = 0;
    for (const { regime, copying, startMs, endMs } of spans) {
      const { threads, bytesPerMs } = this.share(regime, copying);
      let nowMs = startMs;
      while (nowMs < endMs) {
        const job = this.jobs[0];
        if (job === undefined) break;
        const fullMs = cpuMs(job.work, threads, bytesPerMs);
        if (!Number.isFinite(fullMs)) break;
        const stopMs = Math.min(endMs, nowMs + job.left * fullMs);
        const done = fullMs === 0 ? job.left : Math.min(job.left, (stopMs - nowMs) / fullMs);
        ran.push({ id: job.id, startMs: nowMs, endMs: stopMs });
        threadMs += (stopMs - nowMs) * threads;
        bytes += done * job.work.bytes;
        job.left -= done;
        // A remainder below rounding is finished work.
        if (job.left <= 1e-12 || stopMs < endMs) {
          completed.push(job.id);
          this.jobs.shift();
        }
        nowMs = stopMs;
      }
    }
    return { completed, spans: ran, threadMs, bytes };
  }
}
