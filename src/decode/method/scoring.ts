import { factsOf, rulesOf } from '../parts.js';
import type { Scoring } from '../rules/sample-row.js';
import { DEFAULT_INPUTS } from '../rules/window/lookahead.js';
import type { PolicySpec } from '../spec.js';

/** How a policy turns rows of logits into tokens and confidences. */
export function scoringOf(spec: PolicySpec): Scoring {
  const rules = rulesOf(spec);
  const facts = factsOf(spec, rules);
  const { confidence, confidenceType, endOfText } = spec;
  return {
    confidence,
    confidenceType,
    endOfText,
    sampling: rules.sampling.rule(facts, DEFAULT_INPUTS),
    drift: facts.commit.drift ?? null,
    gap: facts.commit.gap ?? false,
    instead: facts.commit.orders !== undefined,
    random: facts.sampling.random || facts.confidence.random,
  };
}
