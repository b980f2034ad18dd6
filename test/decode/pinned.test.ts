import { describe, it } from 'vitest';
import { composePolicy } from '../../src/decode/method/compose.js';
import { inBlocksOf, misfit, shownBy } from '../../src/decode/method/fits.js';
import { scoringOf } from '../../src/decode/method/scoring.js';
import { techniquesOf, withoutLossless } from '../../src/decode/method/techniques.js';
import { factsOf, lawsGivenUp, rulesOf } from '../../src/decode/parts.js';
import { obeyingSpec } from '../../src/decode/policies/orders.js';
import { ALL_POLICY_SPECS, checkFit, namesThatFit, usualPolicy } from '../../src/decode/policies.js';
import type { Draws } from '../../src/decode/rules/definition.js';
import { RULES } from '../../src/decode/rules/registry.js';
import { blockOriginDraws } from '../../src/decode/rules/settings/blocks.js';
import { endOfTextDraws } from '../../src/decode/rules/settings/end-of-text.js';
import { guidanceDraws } from '../../src/decode/rules/settings/guidance.js';
import { reviseDraws } from '../../src/decode/rules/settings/revise.js';
import { stopDraws } from '../../src/decode/rules/settings/stop.js';
import { type PolicySpec, parsePolicySpec, policyJsonSchema } from '../../src/decode/spec.js';
import type { ModelConfig } from '../../src/model/config.js';
import { tinyConfig } from '../support/tiny-model.js';
import { Golden } from './support/golden.js';

const golden = new Golden('policies.json');

/** Without what is for readers alone. */
const bare = ({ description: _, source: __, ...spec }: PolicySpec): object => spec;
const thrown = (run: () => void): string | null => {
  try {
    run();
    return null;
  } catch (error) {
    return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  }
};

/** Models of every kind that fits ask about. */
const MODELS: Readonly<Record<string, Partial<ModelConfig>>> = {
  both: {},
  'both, no mask': { maskId: null },
  'both, shifted': { shiftLogits: true },
  'both, blocks of 8': { blockLength: 8 },
  causal: { attention: 'causal' },
  'causal, no mask': { attention: 'causal', maskId: null },
  'causal, shifted': { attention: 'causal', shiftLogits: true },
  'causal, shifted, no mask': { attention: 'causal', shiftLogits: true, maskId: null },
  'blocks of 32': { attention: 'block-causal', blockLength: 32 },
  'blocks of 4': { attention: 'block-causal', blockLength: 4 },
  'blocks of 4, shifted': { attention: 'block-causal', blockLength: 4, shiftLogits: true },
  'blocks of 32, shifted': { attention: 'block-causal', blockLength: 32, shiftLogits: true },
  'blocks of 16, causal too': {
    attention: 'block-causal',
    blockLength: 16,
    alsoCausal: true,
    shiftLogits: true,
  },
  'blocks of 64, causal too': { attention: 'block-causal', blockLength: 64, alsoCausal: true },
  'blocks without a length': { attention: 'block-causal' },
  orders: { attention: 'block-causal', blockLength: 32, orders: { deleteId: 5, splitId: 6 } },
  'both, shifted, blocks of 32': { shiftLogits: true, blockLength: 32 },
  'orders of which one is another': {
    attention: 'block-causal',
    blockLength: 32,
    orders: { deleteId: 4, splitId: 6 },
  },
  'other orders': { attention: 'block-causal', blockLength: 32, orders: { deleteId: 5, splitId: 7 } },
};
const modelOf = (name: string): ModelConfig => tinyConfig({ name, ...MODELS[name] });

/** Every named policy, and those that obey the orders of a checkpoint. */
const specsOf = (): PolicySpec[] =>
  [...ALL_POLICY_SPECS, obeyingSpec({ deleteId: 5, splitId: 6 })].map((spec) => parsePolicySpec(spec));

describe('what policies, rules and fits say of themselves is what it was', () => {
  it('every policy: its options, what it shows, gives up, and is without each of its techniques', () => {
    const said = specsOf().map((spec) => [
      spec.name,
      {
        spec: bare(spec),
        facts: factsOf(spec),
        shows: shownBy(spec),
        givesUp: lawsGivenUp(spec).map(({ part }) => part),
        techniques: techniquesOf(spec).map(({ technique, lossless, without }) => [
          technique,
          lossless,
          bare(without),
        ]),
        twin: withoutLossless(spec),
        budgets: [1, 64, 65].map((length) => composePolicy(spec).stepBudget(length)),
        scoring: { ...scoringOf(spec), sampling: null },
        random: rulesOf(spec).sampling.facts,
      },
    ]);
    golden.values('policies', Object.fromEntries(said));
  });

  it('every rule: what law tests draw for it', () => {
    const rules = Object.entries(RULES).flatMap(([kind, registry]) =>
      Object.entries<object>(registry).map(([name, rule]) => {
        const { draws } = rule as { readonly draws?: (blockLength: number) => Draws<unknown> };
        return [`${kind} ${name}`, [1, 4, 7].map((length) => draws?.(length) ?? null)];
      }),
    );
    const settings = { blockOriginDraws, endOfTextDraws, guidanceDraws, reviseDraws, stopDraws };
    golden.values('draws', { ...Object.fromEntries(rules), ...settings });
  });

  it('the schema: every option with its default, its limits and its values', () => {
    const { properties, ...rest } = stripped(policyJsonSchema()) as { properties: Record<string, unknown> };
    golden.values('schema', { ...properties, rest });
  });

  it.each(Object.keys(MODELS))(
    'a model that is %s: which policies fit, in which blocks, and why the others do not',
    (name) => {
      const model = modelOf(name);
      let refused = 0;
      const specs = specsOf().map((spec) => {
        const own = inBlocksOf(spec, model);
        const [asked, inBlocks] = [spec, own].map((each) => misfit(each, model));
        if (asked !== null) refused++;
        // Refused for its blocks alone, or the first that is.
        const isTold = asked !== null && (inBlocks === null || refused === 1);
        const said = isTold ? thrown(() => checkFit(spec, model)) : null;
        return [spec.name, [own.blockLength, own.window, asked, inBlocks, said]];
      });
      const { name: usual, blockLength } = usualPolicy(model);
      golden.values(`fits ${name}`, {
        ...Object.fromEntries(specs),
        usual: [usual, blockLength, namesThatFit(model)],
      });
    },
  );
});

/** A schema without its prose. */
function stripped(node: unknown): unknown {
  if (typeof node !== 'object' || node === null) return node;
  if (Array.isArray(node)) return node.map(stripped);
  return Object.fromEntries(
    Object.entries(node).flatMap(([key, value]) =>
      key === 'description' && typeof value === 'string' ? [] : [[key, stripped(value)]],
    ),
  );
}
