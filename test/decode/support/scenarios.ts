import { contradictions } from '../../../src/decode/parts.js';
import { policySpecByName } from '../../../src/decode/policies.js';
import type { Choices, Draws } from '../../../src/decode/rules/definition.js';
import { RULES } from '../../../src/decode/rules/registry.js';
import { guidanceDraws } from '../../../src/decode/rules/settings/guidance.js';
import { reviseDraws } from '../../../src/decode/rules/settings/revise.js';
import { stopDraws } from '../../../src/decode/rules/settings/stop.js';
import { type PolicySpec, parsePolicySpec } from '../../../src/decode/spec.js';
import { hashNumbers } from '../../../src/util/hash-numbers.js';
import { DECIDER_MASK } from './decider.js';
import { HOMES, homeOf, type Kind, nameOf, sectionOf } from './homes.js';
import type { Scenario } from './trajectory.js';

/** What is drawn for a policy or a rule hangs on its name, and not on how many there are. */
const saltOf = (name: string): number =>
  hashNumbers(...[...name].map((letter) => letter.charCodeAt(0))) % 1_000_000;

/** Options that go beyond what is drawn in law tests: one at a time, and several together. */
type Options = Readonly<Record<string, unknown>>;

/** How a policy is decoded: an odd prompt, blocks of another length, a text of one to four of them. */
function scenario(name: string, spec: PolicySpec, salt: number, isLong = false): Scenario {
  const draw = (at: number, below: number): number => hashNumbers(salt, at, 20) % below;
  const { blockLength } = spec;
  const blocks = blockLength === 1 ? 9 + draw(0, 5) : blockLength < 4 ? 2 + draw(0, 3) : 1 + draw(0, 3);
  const whole = (isLong ? 3 + draw(0, 2) : blocks) * blockLength;
  // Left to right nothing can be given.
  const given =
    blockLength === 1 || draw(1, 4) > 0
      ? undefined
      : [3, DECIDER_MASK, 7, DECIDER_MASK, 2].slice(0, 1 + draw(2, whole));
  // What was given lets the last block be short; blocks from position 0 on are filled by the prompt.
  const shorter =
    given === undefined && spec.blockOrigin === 'prompt'
      ? 0
      : draw(3, Math.min(3, whole - (given?.length ?? 1) + 1));
  return {
    name,
    spec,
    promptLength: 1 + draw(4, 7),
    genLength: whole - shorter,
    given,
    seed: salt,
    longestDelay: draw(5, 4),
  };
}

/** Blocks that are short and odd, where a policy may have any. */
const shortened = (spec: PolicySpec, length: number): PolicySpec =>
  spec.blockLength === 1 ? spec : { ...spec, blockLength: length };

function choose(choices: Choices<unknown>, salt: number): unknown {
  if (!('maybe' in choices)) return choices[hashNumbers(salt, 1) % choices.length];
  return hashNumbers(salt, 2) % 3 === 0 ? undefined : drawn(choices.maybe as Draws<unknown>, salt);
}

function drawn(draws: Draws<unknown>, salt: number): Options {
  const entries = Object.entries<Choices<unknown>>(draws as Record<string, Choices<unknown>>);
  return Object.fromEntries(
    entries.map(([option, choices], at) => [option, choose(choices, hashNumbers(salt, at, 30))]),
  );
}

interface WithOptions {
  draws?(blockLength: number): Draws<unknown>;
}
const ruleOf = (kind: Kind, name: string): WithOptions => RULES[kind][name as never] as WithOptions;

/** A policy with other options for all of its own rules; null where a few draws contradict themselves. */
function otherOptions(spec: PolicySpec, salt: number): PolicySpec | null {
  for (let attempt = 0; attempt < 12; attempt++) {
    const at = (part: number): number => hashNumbers(salt, attempt, part);
    const rules = (Object.keys(RULES) as Kind[]).map((kind, index) => {
      const { draws } = ruleOf(kind, nameOf(spec[kind]));
      // Half of the rules stay as they are named.
      if (draws === undefined || at(index) % 2 === 0) return [kind, spec[kind]];
      return [kind, { kind: nameOf(spec[kind]), ...drawn(draws(spec.blockLength), at(100 + index)) }];
    });
    const settings = {
      revise: drawn(reviseDraws as Draws<unknown>, at(50)),
      stop: at(51) % 2 === 0 ? spec.stop : stopDraws[at(52) % stopDraws.length],
      guidance: at(53) % 2 === 0 ? spec.guidance : guidanceDraws[at(54) % guidanceDraws.length],
      logits: at(55) % 2 === 0 ? 'all' : 'active',
    };
    const changed = { ...spec, ...Object.fromEntries(rules), ...settings } as PolicySpec;
    if (contradictions(changed).length === 0) return changed;
  }
  return null;
}

const BLOCKS = [3, 5, 2, 4] as const;
const OTHERS = 5;

/** A named policy on two lengths of blocks, and with other options for all of its rules at once. */
export function scenariosOfPolicy(name: string): Scenario[] {
  const named = parsePolicySpec(policySpecByName(name));
  const salt = saltOf(name);
  const plain = [3, 6].map((length) =>
    scenario(`blocks of ${length}`, sound(shortened(named, length)), salt + length),
  );
  const others = Array.from({ length: OTHERS }, (_, index) => {
    const other = salt + 10 + index;
    const changed = otherOptions(shortened(named, BLOCKS[index % BLOCKS.length]), other);
    return changed === null ? [] : [scenario(`other options ${index}`, changed, other)];
  });
  const set = SETTINGS.flatMap(([what, change], index): Scenario[] => {
    const changed: PolicySpec = { ...shortened(named, BLOCKS[index]), ...change };
    if (contradictions(changed).length > 0) return [];
    return [0, 1].map((again) => ({
      ...scenario(`${what} ${again}`, changed, salt + 20 + 2 * index + again),
      endsOften: what === 'ends',
    }));
  });
  return [...plain, ...others.flat(), ...set];
}

/** Settings that are tried in every policy that takes them. */
const SETTINGS: readonly (readonly [what: string, change: Partial<PolicySpec>])[] = [
  ['ends', { stop: 'block' }],
  ['drawn', { sampling: { kind: 'gumbel', temperature: 1, seed: 3 }, logits: 'active' }],
  ['demotes', { revise: { falling: 'demote', feed: 'mask', rename: true } }],
];

const sound = (spec: PolicySpec): PolicySpec => parsePolicySpec(spec);

/** What takes back, refreshes and sweeps needs blocks behind it, and many tokens. */
const LONG: readonly Kind[] = ['revoke', 'refresh', 'final'];

/** Every value that law tests draw for an option of a rule, one at a time, in a policy that the rule is at home in; or why not. */
export function scenariosOfRule(
  home: number,
): (Scenario | { readonly name: string; readonly refused: string })[] {
  const [kind] = HOMES[home];
  const isLong = LONG.includes(kind);
  const spec = shortened(homeOf(HOMES[home]), isLong ? 9 : 4);
  const part = spec[kind];
  const draws = ruleOf(kind, nameOf(part)).draws?.(spec.blockLength) ?? {};
  const values = Object.entries<Choices<unknown>>(draws as Record<string, Choices<unknown>>).flatMap(
    ([option, choices]) =>
      'maybe' in choices
        ? Object.entries<readonly unknown[]>(choices.maybe as Record<string, readonly unknown[]>).flatMap(
            ([inner, all]) =>
              [...new Set(all)].map(
                (value) =>
                  [
                    `${option}.${inner}=${value}`,
                    { [option]: { ...own(part, option), [inner]: value } },
                  ] as const,
              ),
          )
        : [...new Set(choices)].map((value) => [`${option}=${value}`, { [option]: value }] as const),
  );
  return values.map(([name, change], at) => {
    try {
      return scenario(
        name,
        parsePolicySpec({ ...spec, [kind]: { ...(part as object), ...change } }),
        saltOf(sectionOf(HOMES[home])) + at,
        isLong,
      );
    } catch (error) {
      return { name, refused: error instanceof Error ? error.message : String(error) };
    }
  });
}

const own = (part: unknown, option: string): object => ((part as Options)[option] ?? {}) as object;
