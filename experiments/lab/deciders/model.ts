import { decode } from '../../../src/decode/method/session.js';
import type { Engine } from '../../../src/engine/engine.js';
import { UsageError } from '../../../src/errors.js';
import type { ModelConfig } from '../../../src/model/config.js';
import { encodePrompt } from '../../../src/model/prompt.js';
import { textLength } from '../../../src/model/text-length.js';
import type { Tokenizer } from '../../../src/model/tokenizer.js';
import { generateProblem, type Problem } from '../../../src/score/problems.js';
import { scoreResponse } from '../../../src/score/score.js';
import type { AskedQuestion } from './asked.js';
import type { Answer, CaseRequest, DecidedCase, Decider } from './decider.js';
import { MODEL_CASES } from './name.js';

/** Sets of held-out problems that a decider may answer. */
export type HeldoutSet = 'long' | 'hard';

/** A trained model on its own held-out problems, or on questions of a file. */
export class ModelDecider implements Decider {
  readonly kind = 'model';
  readonly defaultCases = MODEL_CASES;

  /** @param sha256 of the file that identifies the weights */
  constructor(
    readonly name: string,
    readonly seed: number,
    readonly engine: Engine,
    readonly tokenizer: Tokenizer,
    readonly sha256: string,
    private readonly asked: { readonly set: HeldoutSet; readonly data?: readonly AskedQuestion[] },
  ) {}

  /** Which of the held-out problems it is asked. */
  get set(): HeldoutSet {
    return this.asked.set;
  }

  get trained(): ModelConfig {
    return this.engine.config;
  }

  get engineName(): string {
    return this.engine.name;
  }

  decisions(cases: number): string {
    return modelDecisions(this.name, this.sha256, cases, this.seed, this.asked.set);
  }

  /** @param index of the problem in the held-out set of the seed, from 0 */
  problem(index: number): Problem {
    return generateProblem(this.seed, index, this.asked.set, 'heldout');
  }

  promptIds(problem: Problem): number[] {
    return encodePrompt(this.tokenizer, problem.prompt);
  }

  async decode(index: number, request: CaseRequest): Promise<DecidedCase> {
    const { engine } = this;
    const { maskId, endIds } = engine.config;
    const { promptIds, given, judge } = this.question(index);
    const { onStart, ...rest } = request;
    const genLength = request.genLength + (given?.length ?? 0);
    if (maskId !== null) onStart?.(request.policy.start(promptIds, genLength, maskId, { endIds, given }));
    const { steps, tokens } = await decode({ ...rest, engine, promptIds, genLength, given });
    const lengths = { promptLength: promptIds.length, given: given?.length };
    return { ...lengths, steps, tokens, endIds, answer: judge(tokens) };
  }

  /** How an answer to a case would be scored. @param tokens the generated ones */
  judge(index: number, tokens: readonly number[]): Answer {
    return this.question(index).judge(tokens);
  }

  private question(index: number): AskedQuestion {
    const { data } = this.asked;
    if (data !== undefined) {
      const question = data[index];
      if (question === undefined)
        throw new UsageError(`there is no question ${index}: the data has ${data.length}`);
      return question;
    }
    const problem = this.problem(index);
    return {
      promptIds: this.promptIds(problem),
      judge: (tokens) => {
        const text = this.tokenizer.decode(tokens.slice(0, textLength(tokens, this.engine.config.endIds)));
        const { exact, tasks } = scoreResponse(problem, text);
        return { exact, tasks };
      },
    };
  }

  close(): void {
    this.engine.dispose();
  }
}

/** Who decides, for reports. */
export function modelDecisions(
  name: string,
  sha256: string,
  cases: number,
  seed: number,
  set: HeldoutSet = 'long',
): string {
  return `${name} (weights ${sha256.slice(0, 8)}) on ${cases} ${set} held-out problems of seed ${seed}`;
}
