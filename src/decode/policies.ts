import { basename } from 'node:path';
import { DataError, UsageError } from '../errors.js';
import type { ModelConfig } from '../model/config.js';
import { familyOf } from '../model/families/index.js';
import { unknownName } from '../util/nearest.js';
import { readJson } from '../util/read-file.js';
import { composePolicy, type DecodingPolicy, type PolicyInputs } from './method/compose.js';
import { inBlocksOf, misfit, type TrainedModel } from './method/fits.js';
import { factsOf } from './parts.js';
import { AUTOREGRESSIVE_SPEC, SELF_SPECULATION_SPEC } from './policies/causal.js';
import { obeyingSpec } from './policies/orders.js';
import { PAPER_POLICIES } from './policies/paper.js';
import { PUBLISHED_POLICIES } from './policies/published.js';
import { DREAM_SPECS, LLAMA_CPP_SPECS } from './policies/sampled.js';
import { TRAINED_FOR_POLICIES } from './policies/trained-for.js';
import { type PolicySpec, type PolicySpecInput, parsePolicySpec } from './spec.js';

const SPECS: readonly PolicySpecInput[] = [
  ...PAPER_POLICIES,
  ...PUBLISHED_POLICIES,
  ...DREAM_SPECS,
  ...LLAMA_CPP_SPECS,
];

/** Specs of the named diffusion policies, in the order of the ablation ladder. */
export const POLICY_SPECS: readonly PolicySpecInput[] = SPECS;

/** Every named policy: those of diffusion models, those of models trained for one, that of causal models, and that of models that are both. */
export const ALL_POLICY_SPECS: readonly PolicySpecInput[] = [
  ...SPECS,
  ...TRAINED_FOR_POLICIES,
  AUTOREGRESSIVE_SPEC,
  SELF_SPECULATION_SPEC,
];

/** Names of the diffusion policies. */
export const POLICY_NAMES: readonly string[] = SPECS.map((spec) => spec.name);

/**
 * A named policy, or one read from a `.json` file (keys as in `policies NAME --json`, defaults may be left out).
 * @throws UsageError with the nearest names, or naming the key that is wrong
 */
export function policySpecByName(name: string): PolicySpecInput {
  if (name.endsWith('.json')) return readPolicyFile(name);
  const found = ALL_POLICY_SPECS.find((spec) => spec.name === name);
  if (found === undefined)
    throw unknownName(
      'policy',
      name,
      ALL_POLICY_SPECS.map((spec) => spec.name),
    );
  return found;
}

/**
 * A named policy, ready to decode.
 * @throws UsageError with the nearest names
 */
export function policyByName(name: string, inputs: PolicyInputs = {}): DecodingPolicy {
  return composePolicy(policySpecByName(name), inputs);
}

/** Named policies that can decode a model, in its blocks. */
function fitting(model: TrainedModel): PolicySpec[] {
  return ALL_POLICY_SPECS.map((spec) => inBlocksOf(parsePolicySpec(spec), model)).filter(
    (spec) => misfit(spec, model) === null,
  );
}

/** Names of the policies that can decode a model: what `all` means for it. */
export function namesThatFit(model: TrainedModel): readonly string[] {
  return fitting(model).map(({ name }) => name);
}

/**
 * Refuses a policy whose rows see what the model was not trained to see.
 * @throws UsageError with the reason and the policies that fit
 */
export function checkFit(spec: PolicySpec, model: TrainedModel): void {
  const reason = misfit(spec, model);
  if (reason === null) return;
  // Only its blocks are wrong: it is among those that fit.
  if (misfit(inBlocksOf(spec, model), model) === null) {
    const drafts = Object.keys(factsOf(spec).window.reach?.options ?? {}).map((option) => `window.${option}`);
    const options = drafts.length === 0 ? ['--block-length '] : drafts.map((path) => `--option ${path}=`);
    throw new UsageError(`${reason}: take ${options.map((each) => each + model.blockLength).join(' ')}`);
  }
  const names = namesThatFit(model);
  throw new UsageError(names.length === 0 ? reason : `${reason}: take --policy ${names.join(', ')}`);
}

/** One for each kind of attention, for models that depart from their family. */
const BY_ATTENTION = ['llada.cpp', 'block-causal', AUTOREGRESSIVE_SPEC.name];

/** What decodes a model where nobody says: the policy of its family, in the blocks it was trained with. */
export function usualPolicy(model: ModelConfig): PolicySpec {
  if (model.orders !== undefined) return inBlocksOf(parsePolicySpec(obeyingSpec(model.orders)), model);
  const names = [familyOf(model.arch).policy, ...BY_ATTENTION];
  const specs = names.map((name) => inBlocksOf(parsePolicySpec(policySpecByName(name)), model));
  return specs.find((spec) => misfit(spec, model) === null) ?? specs[0];
}

function readPolicyFile(path: string): PolicySpecInput {
  const json = readJson(path);
  let named = json;
  if (typeof json === 'object' && json !== null && !Array.isArray(json)) {
    // Editors read the schema's address here.
    const { $schema: _, ...spec } = json as Record<string, unknown>;
    named = { name: basename(path, '.json'), ...spec };
  }
  try {
    return parsePolicySpec(named);
  } catch (error) {
    // What is wrong in a file is damage; the same on a command line is usage.
    throw error instanceof UsageError ? new DataError(`${path}: ${error.message}`) : error;
  }
}
