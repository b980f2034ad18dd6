import { followModel } from '../../src/decode/method/fits.js';
import { factsOf } from '../../src/decode/parts.js';
import { checkFit, usualPolicy } from '../../src/decode/policies.js';
import { type PolicySpec, parsePolicySpec } from '../../src/decode/spec.js';
import { UsageError } from '../../src/errors.js';
import type { ModelConfig } from '../../src/model/config.js';
import { openSpec } from '../lab/open.js';
import type { MethodSetup } from '../lab/setup.js';

/** Which method, in which steps. */
export interface GenerationChoice {
  /** Default: the usual one of the model's kind. */
  readonly policy?: string;
  readonly options: MethodSetup['options'];
  readonly blockLength: number | null;
  readonly genLength: number;
  readonly steps?: number;
  readonly temperature?: number;
  /** Seed of what the policy draws; undefined leaves the policy's own. */
  readonly drawSeed?: number;
}

/**
 * The named policy with the options, block length, steps, temperature and seed asked for.
 * @throws UsageError with the nearest names, for lengths that do not fit together, or for a setting the policy has no
 *   use for
 */
export function generationSpec(model: ModelConfig, asked: GenerationChoice): PolicySpec {
  const { policy = usualPolicy(model).name, genLength } = asked;
  const named = { policy, options: asked.options, blockLength: asked.blockLength };
  const plain = followModel(openSpec(named), model, named);
  checkFit(plain, model);
  const options = { ...asked.options, ...drawing(plain, asked) };
  const spec = followModel(openSpec({ ...named, options }), model, named);
  if (genLength % spec.blockLength !== 0) {
    throw new UsageError(
      `--gen-length ${genLength} is not a multiple of the block length ${spec.blockLength}: change one (--block-length)`,
    );
  }
  return asked.steps === undefined ? spec : inSteps(spec, asked.steps, genLength);
}

/** Options of the policy that temperature and seed mean. */
function drawing(spec: PolicySpec, { temperature, drawSeed }: GenerationChoice): MethodSetup['options'] {
  const { sampling, commit, confidence, name } = spec;
  const options: MethodSetup['options'] = {};
  const greedy = !('temperature' in sampling);
  const { random } = factsOf(spec).confidence;
  // LLaDA's generate draws so at a temperature; left to right it is the plain draw from softmax(l / T).
  const drawn = greedy && ((temperature ?? 0) > 0 || (random && drawSeed !== undefined));
  if (drawn) options['sampling.kind'] = 'gumbel';
  if (temperature !== undefined && !(greedy && temperature === 0))
    options['sampling.temperature'] = temperature;
  else if (drawn) options['sampling.temperature'] = 0;
  if (drawSeed === undefined) return options;
  if (drawn || !greedy) options['sampling.seed'] = drawSeed;
  if ('seed' in commit) options['commit.seed'] = drawSeed;
  if (options['sampling.seed'] === undefined && !tossesCoins(commit))
    throw new UsageError(
      `--seed has no effect: policy ${name} draws nothing (confidence ${confidence}); give --temperature to sample`,
    );
  return options;
}

function tossesCoins(commit: PolicySpec['commit']): boolean {
  const drawsTop = 'temperature' in commit && commit.temperature > 0;
  return 'seed' in commit && (drawsTop || commit.transfer === 'each');
}

/** @param steps denoising steps in all */
function inSteps(spec: PolicySpec, steps: number, genLength: number): PolicySpec {
  const { commit, blockLength, name } = spec;
  const blocks = genLength / blockLength;
  const per = steps / blocks;
  if (!('stepsPerBlock' in commit || 'steps' in commit))
    throw new UsageError(`--steps: policy ${name} takes as many steps as its confidences ask for`);
  if (!Number.isInteger(per) || per > blockLength) {
    throw new UsageError(
      `--steps ${steps} must be a multiple of the ${blocks} blocks and at most --gen-length ${genLength}`,
    );
  }
  const change = 'steps' in commit ? { steps: per } : { stepsPerBlock: per };
  return parsePolicySpec({ ...spec, commit: { ...commit, ...change } });
}
