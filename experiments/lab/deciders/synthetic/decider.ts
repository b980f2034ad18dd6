import { decode } from '../../../../src/decode/method/session.js';
import { uniformAt } from '../../../../src/decode/rules/random.js';
import { cooperative } from '../../../../src/engine/cooperative.js';
import { UsageError } from '../../../../src/errors.js';
import { hashNumbers } from '../../../../src/util/hash-numbers.js';
import type { CaseRequest, DecidedCase, Decider } from '../decider.js';
import { PAPER_PROFILE } from '../name.js';
import { SYNTHETIC_CONFIG, type SyntheticCase, SyntheticEngine } from './engine.js';
import type { ProcessParameters } from './process.js';
import { processByName } from './profiles.js';

/** Prompt length that explains the paper's own step times and totals (GSM8K, three lengths, within 6 %). */
export const PROMPT_TOKENS = 80;

/** Cases are cheap: no model runs. */
const CASES = 24;

/** Text lengths of a profile spread by this factor either way, one standard deviation (assumed). */
const LENGTH_SPREAD = 1.25;

const LENGTH = 7;
const PROMPT_TOKEN = 0;

export interface SyntheticSource {
  readonly name: string;
  /** What the process was fitted to, in words. */
  readonly fittedTo: string;
  readonly parameters: ProcessParameters;
  /** Mean tokens before the end of text; null: the text fills every answer. */
  readonly textTokens: number | null;
  readonly seed: number;
  readonly promptTokens: number;
}

/** Decodes of the confidence process. Cases differ by their seeds alone. */
export class SyntheticDecider implements Decider {
  readonly kind = 'synthetic';
  readonly engineName = null;
  readonly defaultCases = CASES;

  constructor(private readonly source: SyntheticSource) {}

  get name(): string {
    return this.source.name;
  }

  decisions(cases: number): string {
    return `${this.name}, a confidence process fitted to ${this.source.fittedTo} (no model ran), ${cases} cases of seed ${this.source.seed}`;
  }

  async decode(index: number, request: CaseRequest): Promise<DecidedCase> {
    const { parameters, promptTokens } = this.source;
    const promptIds = new Array<number>(promptTokens).fill(PROMPT_TOKEN);
    const engine = new SyntheticEngine(parameters, caseOf(this.source, index));
    const { onStart, signal, ...rest } = request;
    const { name, scoring } = request.policy;
    if (scoring.drift !== null || scoring.gap || scoring.instead)
      throw new UsageError(
        `${name} asks for more than how sure a row is, which is all that the confidence process says: decode it with a model`,
      );
    onStart?.(
      request.policy.start(promptIds, request.genLength, SYNTHETIC_CONFIG.maskId ?? 0, {
        endIds: SYNTHETIC_CONFIG.endIds,
      }),
    );
    const { steps, tokens } = await decode({
      ...rest,
      promptIds,
      // The loop need only turn when somebody may want to stop.
      engine: signal === undefined ? engine : cooperative(engine),
      signal,
    });
    return { promptLength: promptTokens, steps, tokens, endIds: SYNTHETIC_CONFIG.endIds, answer: null };
  }

  close(): void {}
}

/** What tells one case of a source from the others. */
export function caseOf(
  {
    seed: base,
    promptTokens: promptLength,
    textTokens,
  }: Omit<SyntheticSource, 'name' | 'fittedTo' | 'parameters'>,
  index: number,
): SyntheticCase {
  const seed = hashNumbers(base, index);
  if (textTokens === null) return { seed, promptLength, textLength: Number.POSITIVE_INFINITY };
  const normal =
    Math.sqrt(-2 * Math.log(uniformAt(seed, LENGTH, 0))) * Math.cos(2 * Math.PI * uniformAt(seed, LENGTH, 1));
  return { seed, promptLength, textLength: Math.max(1, Math.round(textTokens * LENGTH_SPREAD ** normal)) };
}

/**
 * @param profile one of the shipped process, or the path of a process that `workload fit` wrote
 * @throws UsageError with the nearest names; EnvironmentError or DataError for a file
 */
export function syntheticDecider(
  profile: string,
  seed: number,
  promptTokens = PROMPT_TOKENS,
): SyntheticDecider {
  const {
    parameters,
    profile: { shift, textTokens },
  } = processByName(profile);
  return new SyntheticDecider({
    name: nameOf(profile, promptTokens),
    fittedTo: profile.endsWith('.json') ? 'recorded trajectories' : 'Figures 5b and 8',
    parameters: { ...parameters, bias: parameters.bias + shift },
    textTokens,
    seed,
    promptTokens,
  });
}

function nameOf(profile: string, promptTokens: number): string {
  if (promptTokens !== PROMPT_TOKENS) return `synthetic:${profile},prompt=${promptTokens}`;
  return profile === PAPER_PROFILE ? 'synthetic' : `synthetic:${profile}`;
}
