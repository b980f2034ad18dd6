import { Presets, SingleBar } from 'cli-progress';
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
  const bar = new SingleBar(
    {
      stream: process.stderr,
      format: `{bar} {value}/{total} ${unit}  {eta_formatted} left`,
      barsize: 30,
      hideCursor: true,
      clearOnComplete: true,
      etaBuffer: 4,
    },
    Presets.shades_classic,
  );
  let started = false;
  return {
    update(done, total) {
      if (started) bar.update(done);
      else bar.start(total, done);
      started = true;
    },
    stop() {
      if (started) bar.stop();
    },
  };
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
