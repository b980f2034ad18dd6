import type { z } from 'zod';
import type { PolicyFacts } from './facts.js';
import type { Technique } from './ladder.js';
import type { GivenUp } from './law-parts.js';
import type { LatencyTable, RuleOf } from './rule.js';

/** How law tests draw an option: one of these values (listed twice, drawn twice as often), or options of its own. */
export type Choices<T> = readonly T[] | { readonly maybe: Draws<Exclude<T, undefined>> };

/** How law tests draw the options of a rule. */
export type Draws<Spec> = { readonly [Option in Exclude<keyof Spec, 'kind'>]-?: Choices<Spec[Option]> };

/** What every part of a policy says about itself. */
export interface Part<Spec> {
  /** Combinations it refuses, each as a sentence. */
  contradicts(spec: Spec, policy: PolicyFacts): readonly string[];
  /** Parts of laws it cannot keep. */
  givesUp(spec: Spec, policy: PolicyFacts): readonly GivenUp[];
  /** What it is sold as; null when it is no technique. */
  technique(spec: Spec): Technique | null;
}

/** What a spec cannot carry because it is not data. */
export interface RuleInputs {
  /** Offline profile for lookahead. */
  readonly latencyTable: LatencyTable;
  /** Memory that one more row of a pass takes, in bytes, for the memory budget of lookahead. */
  readonly rowBytes: number;
}

/** Kinds of rules that a policy is composed of. */
export type Kind = keyof RuleOf;

export type FactsOf<K extends Kind> = K extends keyof PolicyFacts ? PolicyFacts[K] : null;

/** A rule: everything the project knows about it, in one file. */
export interface Rule<K extends Kind, Spec> extends Part<Spec> {
  facts(spec: Spec): FactsOf<K>;
  rule(spec: Spec, policy: PolicyFacts, inputs: RuleInputs): RuleOf[K];
}

/** A rule with options: an object with a `kind`. */
export interface RuleWithOptions<K extends Kind, Schema extends z.ZodType> extends Rule<K, z.output<Schema>> {
  readonly schema: Schema;
  draws(blockLength: number): Draws<z.output<Schema>>;
}

/** A rule that is written as an object with a `kind`: its options, then what it does with them. */
export function defineRule<K extends Kind, Schema extends z.ZodType>(
  _kind: K,
  schema: Schema,
): (rule: Omit<RuleWithOptions<K, Schema>, 'schema'>) => RuleWithOptions<K, Schema> {
  return (rule) => ({ ...rule, schema });
}

/** A rule without options, written as its name. */
export function defineNamed<K extends Kind>(_kind: K, rule: Rule<K, string>): Rule<K, string> {
  return rule;
}

/** Nothing to refuse, nothing to give up. */
export const nothing = (): readonly [] => [];

/** No technique. */
export const plain = (): null => null;
