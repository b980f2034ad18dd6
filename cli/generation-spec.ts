import { openSpec } from '../experiments/lab/open.js';
import type { MethodSetup } from '../experiments/lab/setup.js';
import type { PolicySpec } from '../src/decode/spec.js';
import { UsageError } from '../src/errors.js';
import type { ModelConfig } from '../src/model/config.js';

/** Which method, in which steps. */
export interface GenerationChoice {
  /** Default: the usual one of the model's kind. */
  readonly policy?: string;
  readonly options: MethodSetup['options'];
  readonly blockLength: number | null;
  readonly genLength: number;
  readonly steps?: number;
}

/**
 * The named policy with the options, block length and steps asked for.
 * @throws UsageError with the nearest names, or for lengths that do not fit together
 */
export function generationSpec({ attention }: ModelConfig, asked: GenerationChoice): PolicySpec {
  const { policy = attention === 'causal' ? 'autoregressive' : 'llada.cpp', genLength, steps } = asked;
  const spec = openSpec({ policy, options: asked.options, blockLength: asked.blockLength });
  if (genLength % spec.blockLength !== 0) {
    throw new UsageError(
      `--gen-length ${genLength} is not a multiple of the block length ${spec.blockLength}: change one (--block-length)`,
    );
  }
  if (steps === undefined) return spec;
  const blocks = genLength / spec.blockLength;
  if (spec.commit.kind !== 'quota')
    throw new UsageError(`--steps: policy ${policy} takes as many steps as its confidences ask for`);
  if (steps % blocks !== 0 || steps / blocks > spec.blockLength) {
    throw new UsageError(
      `--steps ${steps} must be a multiple of the ${blocks} blocks and at most --gen-length ${genLength}`,
    );
  }
  return { ...spec, commit: { ...spec.commit, stepsPerBlock: steps / blocks } };
}
