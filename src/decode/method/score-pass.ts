import { shiftedRows } from '../../pass/groups.js';
import type { Pass, PassOutcome } from '../../pass/pass.js';
import { type Scoring, sampleRow, type Vocabulary } from '../rules/sample-row.js';
import { probabilityOf } from '../rules/score-row.js';
import { guideLogits } from './guidance.js';
import type { RowMemory } from './row-memory.js';

/** The pass as the engine runs it: of a model that shifts, the rows that predict the wanted ones get logits. */
export function predictorPass(pass: Pass, shiftLogits: boolean): Pass {
  return shiftLogits ? { ...pass, logits: shiftedRows(pass) } : pass;
}

/**
 * What the logits of a pass say under a policy's scoring.
 * @param computed row-major [pass.logits.length, vocab]
 * @param memory of the decode: passes are handed over in their order
 * @throws DataError when a row holds NaN or nothing finite
 */
export function scorePass(
  pass: Pass,
  computed: Float32Array,
  vocabulary: Vocabulary,
  scoring: Scoring,
  memory: RowMemory,
): PassOutcome {
  const logits = guideLogits(pass, computed);
  const rows = pass.logits.map((row, index) => {
    const { position, asks, draw, excludes } = pass.rows[row];
    const at = draw === undefined ? null : { position, draw };
    const score = sampleRow(logits, index, vocabulary, scoring, at);
    const asked = asks === undefined ? undefined : probabilityOf(logits, index, vocabulary.vocab, asks);
    const own = logits.subarray(index * vocabulary.vocab, (index + 1) * vocabulary.vocab);
    const drift = memory.drift(pass, position, own);
    const gap = scoring.gap ? gapOf(own, vocabulary.maskId) : undefined;
    const instead = excludes === undefined ? undefined : bestBeside(own, [vocabulary.maskId, ...excludes]);
    return { position, ...score, asked, drift, gap, instead };
  });
  return { passId: pass.id, rows };
}

/** The best token that is none of these; ties go to the lowest id. Undefined when there is no other. */
export function bestBeside(logits: Float32Array, none: readonly number[]): number | undefined {
  let best: number | undefined;
  logits.forEach((logit, id) => {
    if (!none.includes(id) && (best === undefined || logit > logits[best])) best = id;
  });
  return best;
}

/** Difference of the best two logits, the mask apart. */
function gapOf(logits: Float32Array, maskId: number): number {
  let [best, second] = [Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY];
  logits.forEach((logit, id) => {
    if (id === maskId || logit <= second) return;
    [best, second] = logit > best ? [logit, best] : [best, logit];
  });
  return best - second;
}
