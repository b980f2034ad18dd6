import fc from 'fast-check';
import { contradictions, rulesOf } from '../../../src/decode/parts.js';
import type { Choices, Draws, Kind } from '../../../src/decode/rules/definition.js';
import { NUMBER_TYPES } from '../../../src/decode/rules/number-type.js';
import { RULES } from '../../../src/decode/rules/registry.js';
import { blockOriginDraws } from '../../../src/decode/rules/settings/blocks.js';
import { endOfTextDraws } from '../../../src/decode/rules/settings/end-of-text.js';
import { guidanceDraws } from '../../../src/decode/rules/settings/guidance.js';
import { reviseDraws } from '../../../src/decode/rules/settings/revise.js';
import { stopDraws } from '../../../src/decode/rules/settings/stop.js';
import type { PolicySpec } from '../../../src/decode/spec.js';
import { hashNumbers } from '../../../src/util/hash-numbers.js';
import { TOY_MASK } from './toy-engine.js';

/** Runs per property; `npm run fuzz` raises it. Planted faults are noticed with 40 (ADR 127). */
export const RUNS = Number(process.env.DLLM_FUZZ_RUNS ?? 120);

/** Runs for each rule: few in the suite, which has sixty rules, and as many as everything else under `npm run fuzz`. */
export const RUNS_PER_RULE = process.env.DLLM_FUZZ_RUNS === undefined ? 12 : RUNS;

/** Time limit of a property: 60 ms per run is ten times what one takes. */
export const TIME_LIMIT_MS = Math.max(120_000, RUNS * 60);

export const blockLengths = fc.integer({ min: 1, max: 8 });

/** A rule by kind and name. */
export type RuleName = {
  readonly [K in Kind]: { readonly kind: K; readonly name: keyof (typeof RULES)[K] };
}[Kind];

/** Every registered rule. */
export const EVERY_RULE = Object.entries(RULES).flatMap(([kind, registry]) =>
  Object.keys(registry).map((name) => ({ kind, name })),
) as readonly RuleName[];

function choice<T>(choices: Choices<T>): fc.Arbitrary<unknown> {
  return 'maybe' in choices
    ? fc.option(options(choices.maybe), { nil: undefined })
    : fc.constantFrom(...choices);
}

function options<Spec>(draws: Draws<Spec>): fc.Arbitrary<object> {
  const entries = Object.entries<Choices<unknown>>(draws as Record<string, Choices<unknown>>);
  return fc.record(Object.fromEntries(entries.map(([option, choices]) => [option, choice(choices)])));
}

type Registered = object | { draws(blockLength: number): Draws<unknown> };

/** A rule of a kind with its options; the names of rules without options are themselves. */
function ruleOf(kind: Kind, blockLength: number): fc.Arbitrary<unknown> {
  const rules = Object.entries<Registered>(RULES[kind]);
  return fc.oneof(
    ...rules.map(([name, rule]) =>
      'draws' in rule
        ? options(rule.draws(blockLength)).map((drawn) => ({ kind: name, ...drawn }))
        : fc.constant(name),
    ),
  );
}

/** Parts drawn without regard to each other. */
function anyParts(blockLength: number): fc.Arbitrary<PolicySpec> {
  const rules = Object.keys(RULES).map((kind) => [kind, ruleOf(kind as Kind, blockLength)]);
  return fc.record({
    name: fc.constant('drawn'),
    description: fc.constant(''),
    source: fc.constant(''),
    blockLength: fc.constant(blockLength),
    blockOrigin: fc.constantFrom(...blockOriginDraws),
    guidance: fc.constantFrom(...guidanceDraws),
    stop: fc.constantFrom(...stopDraws),
    confidenceType: fc.constantFrom(...NUMBER_TYPES),
    endOfText: options(endOfTextDraws),
    revise: options(reviseDraws),
    ...Object.fromEntries(rules),
  }) as fc.Arbitrary<PolicySpec>;
}

const nameOf = (spec: PolicySpec, kind: Kind): string => {
  const part = spec[kind];
  return typeof part === 'string' ? part : part.kind;
};

/** Windows with a loop of their own, token by token. */
const hasOwnLoop = ({ name }: RuleName): boolean => ['next', 'self-speculation', 'streaming'].includes(name);

/** How far a spec is from being sound and having the rules asked for. */
function faults(spec: PolicySpec, wanted: readonly RuleName[]): number {
  const missing = wanted.filter(({ kind, name }) => nameOf(spec, kind) !== name).length;
  if (missing > 0) return 100 * missing;
  const rules = rulesOf(spec);
  const causal = rules.window.facts.attends !== null && !wanted.some(hasOwnLoop);
  return contradictions(spec, rules).length + (causal ? 10 : 0);
}

/** Parts that are changed together: alone, one would have to get worse before the other could follow. */
const TOGETHER: readonly (readonly (keyof PolicySpec)[])[] = [
  ['window', 'cache'],
  ['window', 'cache', 'commit', 'revoke'],
  ['window', 'speculate'],
  ['commit', 'revoke'],
];

/** Every part alone. */
const ALONE: readonly (readonly (keyof PolicySpec)[])[] = [
  ...Object.keys(RULES).map((key) => [key as Kind]),
  ['revise'],
  ['guidance'],
  ['blockOrigin'],
  ['endOfText'],
  ['stop'],
  ['confidenceType'],
];

const pools = new Map<number, readonly PolicySpec[]>();

/** Parts to choose from in place of drawn ones, the same in every run. */
function poolOf(blockLength: number): readonly PolicySpec[] {
  const pool =
    pools.get(blockLength) ?? fc.sample(anyParts(blockLength), { seed: 1, path: '', numRuns: 400 });
  pools.set(blockLength, pool);
  return pool;
}

/** A sound spec with the rules asked for: parts are put in place of its own, what makes it better or as good, until nothing contradicts. */
function searched(from: PolicySpec, wanted: readonly RuleName[], salt: number): PolicySpec {
  const pool = poolOf(from.blockLength);
  let best = from;
  for (const { kind, name } of wanted) {
    const having = pool.find((other) => nameOf(other, kind) === name);
    if (nameOf(best, kind) !== name && having !== undefined) best = { ...best, [kind]: having[kind] };
  }
  let left = faults(best, wanted);
  const moves = [...TOGETHER, ...ALONE];
  for (let step = 0; left > 0; step++) {
    if (step > 20_000) throw new Error(`no sound policy with ${JSON.stringify(wanted)} was found`);
    const other = pool[hashNumbers(step, 1, salt) % pool.length];
    const move = moves[hashNumbers(step, salt) % moves.length];
    const changed = { ...best, ...Object.fromEntries(move.map((part) => [part, other[part]])) };
    const now = faults(changed, wanted);
    if (now <= left) {
      best = changed;
      left = now;
    }
  }
  return best;
}

/** Sound specs that drawn ones are made from, for each rule asked for, and where none is: a search for each draw took most of the time of law tests. */
const BASES = { wanted: 5, any: 25 };
const bases = new Map<string, PolicySpec>();

/** The same whatever was drawn before. */
function baseOf(blockLength: number, wanted: readonly RuleName[], index: number): PolicySpec {
  const key = `${index} ${wanted.map(({ kind, name }) => `${kind} ${name}`).join()}`;
  const pool = poolOf(wanted.some(hasOwnLoop) ? 1 : 4);
  const known = bases.get(key) ?? searched(pool[index], wanted, index);
  bases.set(key, known);
  const own = { ...known, blockLength };
  // It may say more steps than a short block has.
  return faults(own, wanted) === 0 ? own : searched(own, wanted, index);
}

/**
 * As much of what was drawn as goes with one of the sound specs. Deterministic, so that a shrunk draw gives the policy it is shrunk to.
 */
function sound(drawn: PolicySpec, wanted: readonly RuleName[], index: number): PolicySpec {
  let best = baseOf(drawn.blockLength, wanted, index);
  for (const parts of [...TOGETHER, ...ALONE]) {
    const changed = { ...best, ...Object.fromEntries(parts.map((part) => [part, drawn[part]])) };
    if (faults(changed, wanted) === 0) best = changed;
  }
  return best;
}

/** Sound policies that have the rules asked for; everything else is drawn from all that is registered. */
export function specsWith(...wanted: readonly RuleName[]): fc.Arbitrary<PolicySpec> {
  const lengths = wanted.some(hasOwnLoop) ? fc.constant(1) : blockLengths;
  const most = wanted.length === 0 ? BASES.any : BASES.wanted;
  return fc
    .tuple(lengths.chain(anyParts), fc.nat(most - 1))
    .map(([drawn, index]) => sound(drawn, wanted, index));
}

export const anySpec = specsWith();

/** The family of llada.cpp. */
export const slidingSpecs = fc.oneof(
  specsWith({ kind: 'window', name: 'sliding' }),
  specsWith({ kind: 'window', name: 'sliding' }, { kind: 'refresh', name: 'cpu' }),
);

/** Sliding windows under drafts: what tolerates neither is not among them. */
export const draftingSpecs = specsWith(
  { kind: 'window', name: 'sliding' },
  { kind: 'speculate', name: 'drafts' },
);

/** What is decoded and how the toy model behaves. */
export const workloads = fc.record({
  seed: fc.nat(),
  sway: fc.constantFrom(0.1, 0.4, 0.8),
  sharpness: fc.constantFrom(3, 7, 12),
  promptIds: fc.array(fc.nat(TOY_MASK - 1), { minLength: 1, maxLength: 9 }),
  blocks: fc.integer({ min: 1, max: 4 }),
  /** Null: no timer. */
  timerSeed: fc.option(fc.nat()),
});

export type Workload = typeof workloads extends fc.Arbitrary<infer T> ? T : never;
