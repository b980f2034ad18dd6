import { setTimeout as sleep } from 'node:timers/promises';
import type { Canvas } from '../src/decode/canvas/types.js';
import { renderCanvas, renderLegend, renderStates } from '../src/decode/trace/render.js';
import { visibleWidth } from '../src/util/table.js';
import { HIDE_CURSOR, SHOW_CURSOR } from './cursor.js';
import type { Context } from './io.js';

export interface WatchOptions {
  /** Text of one token. */
  readonly text: (token: number) => string;
  /** Frames per second on a terminal. */
  readonly fps: number;
  /** One line about the canvas. @param endMs simulated end of its step, null without a machine */
  readonly status: (canvas: Canvas, endMs: number | null) => string;
}

/**
 * Shows a canvas while it is denoised: redrawn in place on a terminal, one line per step elsewhere (on standard
 * error under `--json`). Steps are paced so that an eye can follow; nothing is timed here.
 */
export class Watcher {
  private rows = 0;
  private shownAt = 0;
  private closed = false;

  constructor(
    private readonly context: Context,
    private readonly options: WatchOptions,
  ) {
    if (context.interactive) context.io.stdout.write(HIDE_CURSOR);
  }

  /** Waits until the last frame was visible long enough. Call before each step. */
  async pace(): Promise<void> {
    if (!this.context.interactive || this.rows === 0) return;
    const rest = this.shownAt + 1000 / this.options.fps - performance.now();
    if (rest > 0) await sleep(rest, undefined, { signal: this.context.signal });
  }

  show(canvas: Canvas, endMs: number | null): void {
    const { text, status } = this.options;
    const { color, io, json } = this.context;
    // Without colours a letter a position says what they would.
    const letters = color ? '' : renderStates(canvas, { color });
    const body = renderCanvas(canvas, { text, color });
    if (!this.context.interactive) {
      (json ? io.stderr : io.stdout).write(
        `${[status(canvas, endMs), letters, body].filter((part) => part !== '').join('  ')}\n`,
      );
      return;
    }
    const columns = Math.max(20, io.stdout.columns ?? 80);
    const states = letters === '' ? [] : [letters, ''];
    const lines = [status(canvas, endMs), '', body, '', ...states, renderLegend({ color })];
    // Up to the first line of the last frame, clear to the end of the screen, draw.
    const back = this.rows === 0 ? '' : `\u001b[${this.rows}A\r\u001b[J`;
    io.stdout.write(`${back}${lines.join('\n')}\n`);
    // The terminal wraps long lines by itself.
    this.rows = lines.reduce((sum, line) => sum + Math.max(1, Math.ceil(visibleWidth(line) / columns)), 0);
    this.shownAt = performance.now();
  }

  /** Gives the cursor back. Always call; again does nothing. */
  close(): void {
    if (this.context.interactive && !this.closed) this.context.io.stdout.write(SHOW_CURSOR);
    this.closed = true;
  }
}
