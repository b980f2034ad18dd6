import { nothing, plain, type Rule } from '../definition.js';
import type { ConfidenceRule } from '../rule.js';

/** A confidence: a rule without options that looks at nothing but a row of logits. */
export interface Confidence extends Rule<'confidence', string>, ConfidenceRule {}

/** @param rule `random`: it is drawn, so rows need counters; `entropy`: it is exp(-H) */
export function defineConfidence(
  rule: ConfidenceRule & { readonly random: boolean; readonly entropy?: true },
): Confidence {
  return {
    ofToken: rule.ofToken,
    of: rule.of,
    facts: () => ({ random: rule.random, entropy: rule.entropy }),
    rule: () => rule,
    contradicts: nothing,
    givesUp: nothing,
    technique: plain,
  };
}
