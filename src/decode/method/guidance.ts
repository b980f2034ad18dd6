import { mergePasses } from '../../pass/groups.js';
import type { Pass } from '../../pass/pass.js';
import type { Canvas } from '../canvas/types.js';

/**
 * Classifier-free guidance (LLaDA `generate`, step 4): the canvas once more with the prompt masked, in the same
 * forward. Twice the rows, one forward.
 */
export function withGuidance(canvas: Canvas, main: Pass, scale: number): Pass {
  const unconditional: Pass = {
    ...main,
    id: `${main.id}/1`,
    version: main.version + 1,
    rows: main.rows.map((row) =>
      row.position < canvas.promptLength ? { ...row, feed: canvas.maskId } : { ...row },
    ),
  };
  const merged = mergePasses([main, unconditional]);
  if (merged === null) throw new Error('guided rows read no cache');
  return { ...merged, guidance: scale };
}

/**
 * Guided logits, unconditional + (scale + 1) (conditional - unconditional), in place of the conditional ones; the
 * second half is left as it is. A pass without guidance gets its logits back.
 * @param logits row-major [pass.logits.length, vocab], conditional rows first
 */
export function guideLogits({ guidance }: Pick<Pass, 'guidance'>, logits: Float32Array): Float32Array {
  if (guidance === undefined) return logits;
  const half = logits.length / 2;
  const guided = logits.slice();
  for (let i = 0; i < half; i++) {
    const unconditional = logits[half + i];
    guided[i] = unconditional + (guidance + 1) * (logits[i] - unconditional);
  }
  return guided;
}
