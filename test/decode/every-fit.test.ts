import { describe, expect, it } from 'vitest';
import { checkLaws, describeViolation } from '../../src/decode/laws/check.js';
import { composePolicy } from '../../src/decode/method/compose.js';
import { inBlocksOf, misfit } from '../../src/decode/method/fits.js';
import { decode, maskFor } from '../../src/decode/method/session.js';
import { lawsGivenUp } from '../../src/decode/parts.js';
import { ALL_POLICY_SPECS, checkFit } from '../../src/decode/policies.js';
import { parsePolicySpec } from '../../src/decode/spec.js';
import { UsageError } from '../../src/errors.js';
import { FAMILIES } from '../../src/model/families/index.js';
import { resolvePreset } from '../../src/model/presets.js';
import { SMALL_TILES } from './support/run.js';
import { TOY_CONFIG, TOY_MASK, ToyEngine } from './support/toy-engine.js';

const BLOCK = 4;
const PROMPT = [3, 1, 4, 1, 5];

/** A toy of every family: it sees what the family sees, in blocks of 4, and has a mask unless its files never have one. */
const FAMILY_TOYS = FAMILIES.map(({ name, published, attention, alsoCausal, shiftLogits }) => ({
  ...{ family: name, attention, alsoCausal, shiftLogits },
  blockLength: attention === 'block-causal' ? BLOCK : undefined,
  maskId: name !== 'wedlm' && resolvePreset(published).maskId === null ? null : TOY_MASK,
}));

const traitsOf = ({ family: _, ...traits }: (typeof FAMILY_TOYS)[number]) => traits;
const isAlike = (a: (typeof FAMILY_TOYS)[number], b: (typeof FAMILY_TOYS)[number]): boolean =>
  JSON.stringify(traitsOf(a)) === JSON.stringify(traitsOf(b));

/** Those that are alike are tried as one. */
const TOYS = FAMILY_TOYS.filter(
  (toy, at) => FAMILY_TOYS.findIndex((other) => isAlike(toy, other)) === at,
).map((toy) => ({
  ...{ ...TOY_CONFIG, ...traitsOf(toy) },
  name: FAMILY_TOYS.filter((other) => isAlike(toy, other))
    .map(({ family }) => family)
    .join('/'),
}));

/** Named policies, as a model is decoded by them: in its own blocks, else in short ones. */
const policiesFor = (model: (typeof TOYS)[number]) =>
  ALL_POLICY_SPECS.map((spec) => parsePolicySpec(spec)).map((spec) => {
    const short = spec.blockLength > BLOCK ? { ...spec, blockLength: BLOCK } : spec;
    return inBlocksOf(short, model);
  });

describe.each(TOYS)('$name', (model) => {
  const specs = policiesFor(model);
  const fitting = specs.filter((spec) => misfit(spec, model) === null);

  it('has a policy', () => expect(fitting.length).toBeGreaterThan(0));

  it('refuses every other policy with the reason, and names those that fit', () => {
    const refused = specs.filter((other) => !fitting.includes(other));
    for (const spec of refused) expect(misfit(spec, model), spec.name).toContain(`model ${model.name} `);
    // The names are those of the model, whatever was asked for.
    const [asked] = refused;
    const take = `${misfit(asked, model)}: take --policy ${fitting.map(({ name }) => name).join(', ')}`;
    expect(() => checkFit(asked, model)).toThrow(new UsageError(take));
  });

  it.each(fitting.map(({ name }) => name))(
    'shows no row of %s more than it was trained to see',
    async (name) => {
      const policy = composePolicy(fitting.find((spec) => spec.name === name) ?? fitting[0], SMALL_TILES);
      const genLength = 2 * policy.spec.blockLength;
      const trained = model;
      const { steps } = await decode({
        policy,
        engine: new ToyEngine({ seed: 7, trained }),
        promptIds: PROMPT,
        genLength,
      });
      const start = policy.start(PROMPT, genLength, maskFor(policy, model), { endIds: model.endIds });
      const givenUp = lawsGivenUp(policy.spec).map(({ part }) => part);
      const context = { start, trained, givenUp, stepBudget: policy.stepBudget(genLength) };
      expect(checkLaws(context, steps).map(describeViolation)).toEqual([]);
    },
  );
});
