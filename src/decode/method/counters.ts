import { textLength } from '../../model/text-length.js';
import { groupsOf } from '../../pass/groups.js';
import type { Pass, PassKind } from '../../pass/pass.js';
import type { Geometry } from '../canvas/geometry.js';
import type { TokenState } from '../canvas/types.js';
import type { StepRecord } from './step-record.js';

/** Work of a decode, counted from its plans. */
export interface DecodeCounters {
  /** Main-lane forwards by kind. */
  readonly forwards: Readonly<Record<PassKind, number>>;
  /** Number of forward evaluations: all main-lane forwards, prefill and seal included. */
  readonly nfe: number;
  /** Refresh passes on the side lane. */
  readonly sideRefreshes: number;
  /** Rows of all main-lane passes. */
  readonly mainRows: number;
  /** Rows of all refresh passes. */
  readonly sideRows: number;
  /** Rows that got logits, both lanes. */
  readonly logitsRows: number;
  /** Drafts that became tokens. */
  readonly draftsAccepted: number;
  /** Exact speculation: states computed ahead, those that the method really reached, and the rows of the others. */
  readonly statesDrafted: number;
  /** Of those, reached by the method itself. */
  readonly statesAccepted: number;
  /** Rows of the states that were not reached. */
  readonly rowsWasted: number;
  /** Positions, both lanes. */
  readonly refreshesLanded: number;
  /** Positions. */
  readonly refreshesDropped: number;
  /** Tokens that forwards gave: the full length, but for what was given or is behind an early end. */
  readonly tokens: number;
  /** Of those, before the first end-of-text token. */
  readonly textTokens: number;
  /** `tokens` over `nfe`. */
  readonly tokensPerForward: number;
  /** `textTokens` over `nfe`. */
  readonly textTokensPerForward: number;
}

const isUndecidedState = (state: TokenState): boolean => state === 'M' || state === 'IV';

const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);

/** The groups of a pass that only fills the cache are blocks of given text, not guesses: all for one thing. */
function fillsByBlocks(pass: Pass): boolean {
  const groups = groupsOf(pass);
  return groups.every(({ kind }) => kind !== 'denoise' && kind === groups[0].kind);
}

/**
 * @param tokens the generated tokens
 * @param endIds tokens that end a text; it ends before the first of them
 */
export function countWork(
  geometry: Geometry,
  steps: readonly Pick<StepRecord, 'plan' | 'transitions' | 'dropped' | 'accepted'>[],
  tokens: readonly number[],
  endIds: readonly number[],
): DecodeCounters {
  const passes = steps.flatMap((step) => step.plan.passes);
  const main = passes.filter((pass) => pass.lane === 'main');
  const side = passes.filter((pass) => pass.lane === 'side');
  const kind = (wanted: PassKind): number => main.filter((pass) => pass.kind === wanted).length;
  const rows = (list: readonly Pass[]): number => sum(list.map((pass) => pass.rows.length));
  const transitions = steps.flatMap((step) => step.transitions);
  const speculative = steps.filter(
    ({ plan, accepted }) => accepted.length > 0 && !fillsByBlocks(plan.passes[0]),
  );
  const states = speculative.map((step) => groupsOf(step.plan.passes[0]));
  const wasted = speculative.map(({ accepted }, index) => {
    const used = new Set(accepted.map(({ group }) => group));
    return sum(states[index].map(({ rows }, group) => (used.has(group) ? 0 : rows)));
  });
  const decided = new Set(
    transitions.flatMap(({ position, from, to, reason }) =>
      reason !== 'stop' && isUndecidedState(from) && !isUndecidedState(to) ? [position] : [],
    ),
  );
  const { promptLength, given = 0 } = geometry;
  const filled = [...decided].filter((position) => position < promptLength + given).length;
  const textTokens = filled + textLength(tokens.slice(given), endIds);
  const nfe = main.length;
  return {
    forwards: {
      prefill: kind('prefill'),
      denoise: kind('denoise'),
      seal: kind('seal'),
      refresh: kind('refresh'),
    },
    nfe,
    sideRefreshes: side.length,
    mainRows: rows(main),
    sideRows: rows(side),
    logitsRows: sum(passes.map((pass) => pass.logits.length)),
    draftsAccepted: transitions.filter((t) => t.reason === 'draft-accepted').length,
    statesDrafted: sum(states.map((groups) => groups.length - 1)),
    statesAccepted: sum(speculative.map(({ accepted }) => accepted.length - 1)),
    rowsWasted: sum(wasted),
    refreshesLanded: transitions.filter((t) => t.reason === 'refresh').length,
    refreshesDropped: sum(steps.map((step) => step.dropped.length)),
    tokens: decided.size,
    textTokens,
    tokensPerForward: nfe === 0 ? 0 : decided.size / nfe,
    textTokensPerForward: nfe === 0 ? 0 : textTokens / nfe,
  };
}
