import { clearLine, cursorTo } from 'node:readline';
import { HIDE_CURSOR, SHOW_CURSOR } from './cursor.js';
import type { Context } from './io.js';

export interface Progress {
  update(done: number, total: number): void;
  stop(): void;
}

const SILENT: Progress = { update: () => {}, stop: () => {} };

export interface ProgressOptions {
  /** Where there is no terminal, say in a line when each quarter is done: for work of minutes. Default false. */
  readonly log?: boolean;
}

/**
 * A progress bar on standard error, at a terminal only.
 * @param unit what is counted, e.g. `prompts`
 */
export function progressBar(context: Context, unit: string, options: ProgressOptions = {}): Progress {
  if (context.io.stderr !== process.stderr || !process.stderr.isTTY) {
    return options.log ? quarters(context, unit) : SILENT;
  }
  const { stderr } = process;
  let first: { readonly done: number; readonly atMs: number } | undefined;
  return {
    update(done, total) {
      const nowMs = performance.now();
      if (first === undefined) stderr.write(HIDE_CURSOR);
      first ??= { done, atMs: nowMs };
      const leftMs = ((nowMs - first.atMs) / (done - first.done)) * (total - done);
      cursorTo(stderr, 0);
      stderr.write(barText(done, total, unit, leftMs / 1000));
      clearLine(stderr, 1);
    },
    stop() {
      if (first === undefined) return;
      cursorTo(stderr, 0);
      clearLine(stderr, 0);
      stderr.write(SHOW_CURSOR);
    },
  };
}

/** DECTCEM: a cursor that runs along a bar flickers. */
const CELLS = 30;

/** `███░░░ 3/6 runs  1m05s left`. @param leftSeconds no finite number while nothing was done */
export function barText(done: number, total: number, unit: string, leftSeconds: number): string {
  const full = Math.round((CELLS * Math.min(done, total)) / total);
  const bar = '█'.repeat(full) + '░'.repeat(CELLS - full);
  if (!Number.isFinite(leftSeconds)) return `${bar} ${done}/${total} ${unit}`;
  const seconds = Math.round(leftSeconds);
  const [minutes, rest] = [Math.floor(seconds / 60), seconds % 60];
  const left = minutes > 0 ? `${minutes}m${String(rest).padStart(2, '0')}s` : `${rest}s`;
  return `${bar} ${done}/${total} ${unit}  ${left} left`;
}

function quarters(context: Context, unit: string): Progress {
  let quarter = 0;
  return {
    update(done, total) {
      const now = Math.floor((4 * done) / total);
      if (now > quarter) context.note(`${done} of ${total} ${unit}`);
      quarter = Math.max(quarter, now);
    },
    stop: () => {},
  };
}
