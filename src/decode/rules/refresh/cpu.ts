import { z } from 'zod';
import { hashNumbers } from '../../../util/hash-numbers.js';
import type { Canvas, Position } from '../../canvas/types.js';
import { defineRule } from '../definition.js';
import { overBaseline } from '../ladder.js';
import { landing } from './landing.js';

const schema = z.strictObject({
  kind: z.literal('cpu'),
  order: z
    .enum(['oldest', 'lowest-confidence', 'random'])
    .default('oldest')
    .describe('oldest KV first visits every V in turn; the paper gives no order'),
  seed: z.int().min(0).default(0).describe('seed of order random'),
  batch: z
    .int()
    .min(1)
    .default(4)
    .describe('positions per side pass; a CPU pass has a large fixed cost (Table 2), so share it'),
  perStep: z.int().min(1).default(4).describe('positions launched per step; not given'),
  maxInFlight: z
    .int()
    .min(1)
    .default(4)
    .describe('positions under refresh at a time; equal to perStep, so a slow CPU never builds a backlog'),
  scope: z
    .enum(['prefix', 'stable-prefix', 'prefix+window'])
    .default('prefix')
    .describe('what a refreshed row attends to; Fig. 9b draws the prefix only'),
  feed: z
    .enum(['token', 'mask'])
    .default('token')
    .describe(
      'token: re-score and rewrite KV in one pass; mask: re-score unseen, KV rewritten only after a change',
    ),
  replace: z
    .enum(['visible', 'always'])
    .default('visible')
    .describe('a new identity must reach theta_visible, as in the window; always: take the new best token'),
  what: z
    .enum(['self', 'self+dependents'])
    .default('self')
    .describe(
      'self: V only, as drawn in Fig. 9b; self+dependents: also the KV of entries that saw a token which a refresh has changed',
    ),
  late: z
    .enum(['apply', 'block'])
    .default('apply')
    .describe(
      'apply: a result lands at the boundary after it is finished; block: the step waits for it ("asynchronously to the NPU" speaks for apply)',
    ),
  maxAgeSteps: z
    .int()
    .min(0)
    .nullable()
    .default(null)
    .describe(
      'steps a result may be late before it is dropped; null: it lands whenever its target is unchanged',
    ),
});

/** Visible positions with durable KV, and stable ones with stale KV, that nobody is working on. */
function candidates(canvas: Canvas, busy: ReadonlySet<number>): number[] {
  const flying = new Set(
    canvas.inFlight.flatMap((ticket) => ticket.targets.map((target) => target.position)),
  );
  const found: number[] = [];
  canvas.positions.forEach((position, index) => {
    const wanted = position.state === 'V' || (position.state === 'S' && position.stale === true);
    if (wanted && position.kv !== null && !flying.has(index) && !busy.has(index)) found.push(index);
  });
  return found;
}

function ordered(spec: z.output<typeof schema>, canvas: Canvas, positions: readonly number[]): number[] {
  const rank = (index: number): number => {
    const position = canvas.positions[index];
    switch (spec.order) {
      case 'oldest':
        return position.kv?.version ?? 0;
      case 'lowest-confidence':
        return position.confidence;
      case 'random':
        return hashNumbers(spec.seed, canvas.step, index);
    }
  };
  const isStable = ({ index }: { readonly index: number }): number =>
    Number(canvas.positions[index].state === 'S');
  return (
    positions
      .map((index) => ({ index, rank: rank(index) }))
      // What may still change goes before what only follows.
      .sort((a, b) => isStable(a) - isStable(b) || a.rank - b.rank || a.index - b.index)
      .map(({ index }) => index)
  );
}

/** Sparse cache refresh on the CPU lane (arXiv:2606.13740 §3.3). */
export const cpu = defineRule(
  'refresh',
  schema,
)({
  facts: () => ({ launches: true }),
  rule: (spec, { commit }) => ({
    launch(canvas, busy) {
      const flying = canvas.inFlight.reduce((sum, ticket) => sum + ticket.targets.length, 0);
      const room = Math.max(0, Math.min(spec.perStep, spec.maxInFlight - flying));
      const chosen = ordered(spec, canvas, candidates(canvas, busy)).slice(0, room);
      const groups: number[][] = [];
      for (let i = 0; i < chosen.length; i += spec.batch) {
        groups.push(chosen.slice(i, i + spec.batch).sort((a, b) => a - b));
      }
      return groups;
    },
    // Re-scored unseen only while the cached entry already stands for the token.
    feed: (position: Position, maskId) =>
      spec.feed === 'mask' && position.state === 'V' && position.kv?.token === position.token
        ? maskId
        : position.token,
    land: landing(commit.stages, spec.replace),
    marksDependents: spec.what === 'self+dependents',
    joins: spec.late === 'block',
    readable: (position) => spec.scope !== 'stable-prefix' || position.kv?.residency === 'long-term',
    withWindow: spec.scope === 'prefix+window',
    maxAgeSteps: spec.maxAgeSteps,
  }),
  contradicts({ feed, order, late, maxAgeSteps, perStep, maxInFlight }, { commit, cache }) {
    const found: string[] = [];
    if (commit.stages === null) found.push('refresh works on visible positions, so commit must be staged');
    if (cache.serves !== 'finished rows') found.push('refresh rewrites prefix KV, so cache must be prefix');
    if (feed === 'mask' && order === 'oldest')
      found.push(
        'refresh.feed mask leaves KV as it is, so order oldest would pick the same position forever',
      );
    if (late === 'block' && maxAgeSteps !== null)
      found.push('refresh.late block leaves nothing late, so refresh.maxAgeSteps must be null');
    if (perStep > maxInFlight)
      found.push(`refresh.perStep (${perStep}) exceeds refresh.maxInFlight (${maxInFlight})`);
    return found;
  },
  givesUp: ({ what }) =>
    what === 'self+dependents'
      ? [{ part: 'D1-kv', because: 'the KV of entries that saw a changed token is computed anew' }]
      : [],
  technique: () => overBaseline('sparse cache refresh', 'refresh'),
  draws: () => ({
    order: ['oldest', 'lowest-confidence', 'random'],
    seed: [0, 1, 9],
    batch: [1, 2, 4],
    perStep: [1, 2, 5],
    maxInFlight: [2, 5, 9],
    scope: ['prefix', 'stable-prefix', 'prefix+window'],
    feed: ['token', 'mask'],
    replace: ['visible', 'always'],
    what: ['self', 'self', 'self+dependents'],
    late: ['apply', 'apply', 'block'],
    maxAgeSteps: [null, 0, 1, 2],
  }),
});
