import { UsageError } from '../../errors.js';
import { unknownName } from '../../util/nearest.js';
import { command } from './command.js';
import { exact } from './exact.js';
import { gsm8kFlexible, gsm8kStrict } from './gsm8k.js';
import { regex } from './regex.js';
import type { Scorer, ScorerKind } from './scorer.js';

export const SCORERS = {
  exact,
  'gsm8k-strict': gsm8kStrict,
  'gsm8k-flexible': gsm8kFlexible,
  regex,
  command,
} as const satisfies Record<string, ScorerKind>;

export type ScorerName = keyof typeof SCORERS;

const NAMES = Object.keys(SCORERS) as ScorerName[];

/** How scorers are written. */
export const SCORER_FORMS: readonly string[] = NAMES.map((name) => {
  const { takes } = SCORERS[name];
  return takes === null ? name : `${name}:${takes}`;
});

/**
 * A scorer as it is asked for: a name, and behind a colon what it takes.
 * @throws UsageError with the nearest names, or for an argument that is missing, too much or wrong
 */
export function scorerOf(asked: string): Scorer {
  const colon = asked.indexOf(':');
  const name = colon < 0 ? asked : asked.slice(0, colon);
  const kind = Object.entries(SCORERS).find(([known]) => known === name)?.[1];
  if (kind === undefined) throw unknownName('scorer', name, NAMES);
  if ((kind.takes === null) !== colon < 0)
    throw new UsageError(
      kind.takes === null ? `scorer ${name} takes nothing` : `scorer ${name}: write ${name}:${kind.takes}`,
    );
  return { name: asked, isRight: kind.make(asked.slice(colon + 1)) };
}

/** The scorer that fits an answer, where nobody says: GSM8K's for its form. */
export function usualScorer(answer: string): ScorerName {
  return answer.includes('#### ') ? 'gsm8k-strict' : 'exact';
}
