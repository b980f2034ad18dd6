import type { FactsOf, Kind, Part, Rule, RuleInputs } from './rules/definition.js';
import type { PolicyFacts } from './rules/facts.js';
import type { Technique } from './rules/ladder.js';
import type { GivenUp } from './rules/law-parts.js';
import { RULES } from './rules/registry.js';
import type { RuleOf } from './rules/rule.js';
import { blockOrigin } from './rules/settings/blocks.js';
import { endOfText } from './rules/settings/end-of-text.js';
import { guidance } from './rules/settings/guidance.js';
import { revise } from './rules/settings/revise.js';
import { stop } from './rules/settings/stop.js';
import type { PolicySpec } from './spec-schema.js';

/** What a part of a policy says, about the options it has there. */
export interface PolicyPart {
  contradicts(policy: PolicyFacts): readonly string[];
  givesUp(policy: PolicyFacts): readonly GivenUp[];
  technique(): Technique | null;
}

/** A rule with its options. */
export interface PolicyRule<K extends Kind> extends PolicyPart {
  readonly facts: FactsOf<K>;
  rule(policy: PolicyFacts, inputs: RuleInputs): RuleOf[K];
}

export type PolicyRules = { readonly [K in Kind]: PolicyRule<K> };

/** What is known of a rule or setting, by its options: objects may go, names and numbers are few. */
interface Known {
  readonly objects: WeakMap<object, unknown>;
  readonly others: Map<unknown, unknown>;
}

/** Options are never changed, and many policies share theirs: what a part says about them is asked once. */
const bound = new WeakMap<object, Known>();

function once<Bound>(part: object, spec: unknown, make: () => Bound): Bound {
  let known = bound.get(part);
  if (known === undefined) {
    known = { objects: new WeakMap(), others: new Map() };
    bound.set(part, known);
  }
  const isObject = typeof spec === 'object' && spec !== null;
  const found = (isObject ? known.objects.get(spec) : known.others.get(spec)) as Bound | undefined;
  if (found !== undefined) return found;
  const made = make();
  if (isObject) known.objects.set(spec, made);
  else known.others.set(spec, made);
  return made;
}

function partOf<Spec>(part: Part<Spec>, spec: Spec): PolicyPart {
  return {
    contradicts: (policy) => part.contradicts(spec, policy),
    givesUp: (policy) => part.givesUp(spec, policy),
    technique: () => part.technique(spec),
  };
}

function bindPart<Spec>(part: Part<Spec>, spec: Spec): PolicyPart {
  return once(part, spec, () => partOf(part, spec));
}

function bind<K extends Kind>(rule: Rule<K, PolicySpec[K]>, spec: PolicySpec[K]): PolicyRule<K> {
  return once(rule, spec, () => ({
    ...partOf(rule, spec),
    facts: rule.facts(spec),
    rule: (policy, inputs) => rule.rule(spec, policy, inputs),
  }));
}

/** The rules a policy names, each with its options. */
export function rulesOf(spec: PolicySpec): PolicyRules {
  return {
    window: bind<'window'>(RULES.window[spec.window.kind], spec.window),
    cache: bind<'cache'>(RULES.cache[spec.cache.kind], spec.cache),
    commit: bind<'commit'>(RULES.commit[spec.commit.kind], spec.commit),
    speculate: bind<'speculate'>(RULES.speculate[spec.speculate.kind], spec.speculate),
    revoke: bind<'revoke'>(RULES.revoke[spec.revoke.kind], spec.revoke),
    refresh: bind<'refresh'>(RULES.refresh[spec.refresh.kind], spec.refresh),
    final: bind<'final'>(RULES.final[spec.final.kind], spec.final),
    sampling: bind<'sampling'>(RULES.sampling[spec.sampling.kind], spec.sampling),
    logits: bind<'logits'>(RULES.logits[spec.logits], spec.logits),
    confidence: bind<'confidence'>(RULES.confidence[spec.confidence], spec.confidence),
  };
}

/** What the rules of a policy say about themselves. */
export function factsOf(spec: PolicySpec, rules = rulesOf(spec)): PolicyFacts {
  const { blockLength } = spec;
  return {
    blockLength,
    blockOrigin: spec.blockOrigin,
    guidance: spec.guidance,
    window: rules.window.facts,
    cache: rules.cache.facts,
    commit: rules.commit.facts,
    speculate: rules.speculate.facts,
    revoke: rules.revoke.facts,
    refresh: rules.refresh.facts,
    final: rules.final.facts,
    sampling: rules.sampling.facts,
    confidence: rules.confidence.facts,
  };
}

/** Every part of a policy: its rules and its settings. */
function partsOf(spec: PolicySpec, rules: PolicyRules): PolicyPart[] {
  return [
    ...Object.values(rules),
    bindPart(revise, spec.revise),
    bindPart(guidance, spec.guidance),
    bindPart(endOfText, spec.endOfText),
    bindPart(blockOrigin, spec.blockOrigin),
    bindPart(stop, spec.stop),
  ];
}

/** Options of a spec that exclude each other, each with the rule it breaks. Empty for a sound spec. */
export function contradictions(spec: PolicySpec, rules = rulesOf(spec)): string[] {
  const facts = factsOf(spec, rules);
  // Rules that belong together say so with one voice.
  return [...new Set(partsOf(spec, rules).flatMap((part) => part.contradicts(facts)))];
}

/** What a policy gives up, each with its reason. Every other law is checked in full. */
export function lawsGivenUp(spec: PolicySpec): GivenUp[] {
  const rules = rulesOf(spec);
  const facts = factsOf(spec, rules);
  // The cache first: what it gives up is what the others build on.
  const { cache, ...others } = rules;
  return partsOf(spec, { cache, ...others }).flatMap((part) => part.givesUp(facts));
}

/** One line per part of a law that a policy gives up, e.g. `gives up D1-kv: ...`. Empty when all hold in full. */
export function describeGivenUp(spec: PolicySpec): string[] {
  return lawsGivenUp(spec).map(({ part, because }) => `gives up ${part}: ${because}`);
}

/** Techniques a policy uses, in no order. */
export function techniquesIn(spec: PolicySpec): Technique[] {
  return partsOf(spec, rulesOf(spec)).flatMap((part) => part.technique() ?? []);
}
