import type { Model } from '../experiments/library/model.js';
import type { Canvas } from '../src/decode/canvas/types.js';
import type { PolicySpec } from '../src/decode/spec.js';
import { END_SIGN } from '../src/decode/trace/end-sign.js';
import type { Context } from './io.js';
import { requireTokenizer } from './prompt.js';
import { Watcher } from './watch.js';

interface Watched {
  readonly opened: Model;
  readonly spec: PolicySpec;
  readonly fps: number;
  /** Profile of the machine that times the decode. */
  readonly machine?: string;
}

/** Shows a decode with a line that says how far it is. @throws UsageError for a model without a tokenizer */
export function decodeWatcher(ctx: Context, { opened, spec, fps, machine }: Watched): Watcher {
  const tokenizer = requireTokenizer(opened);
  // The same few hundred tokens are drawn again and again.
  const texts = new Map(opened.config.endIds.map((id) => [id, ` ${END_SIGN}`]));
  return new Watcher(ctx, {
    fps,
    text: (token) => {
      const known = texts.get(token) ?? tokenizer.decode([token], { skipSpecial: false });
      texts.set(token, known);
      return known;
    },
    status: (canvas, endMs) => {
      const blocks = Math.ceil(canvas.genLength / canvas.blockLength);
      return [
        spec.name,
        `step ${canvas.step}`,
        `block ${Math.min(canvas.block + 1, blocks)}/${blocks}`,
        `${decided(canvas)}/${canvas.genLength} tokens`,
        ...(endMs === null ? [] : [`${(endMs / 1000).toFixed(1)} s simulated on ${machine}`]),
      ].join('  ');
    },
  });
}

/** Generated positions that have a token. */
export function decided(canvas: Canvas): number {
  return canvas.positions.slice(canvas.promptLength).filter(({ state }) => state === 'V' || state === 'S')
    .length;
}
