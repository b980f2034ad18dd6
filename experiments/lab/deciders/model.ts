import { decode } from '../../../src/decode/method/session.js';
import type { Engine } from '../../../src/engine/engine.js';
import { encodePrompt } from '../../../src/model/prompt.js';
import type { Tokenizer } from '../../../src/model/tokenizer.js';
import { generateProblem } from '../../../src/score/problems.js';
import { scoreResponse } from '../../../src/score/score.js';
import type { DecidedCase, Decider, DecodeRequest } from './decider.js';

/** As many as the paper's latency experiments have cases. */
const PAPER_CASES = 5;

/** A trained model on its own held-out problems. */
export class ModelDecider implements Decider {
  readonly kind = 'model';
  readonly defaultCases = PAPER_CASES;

  constructor(
    readonly name: string,
    private readonly seed: number,
    private readonly engine: Engine,
    private readonly tokenizer: Tokenizer,
    private readonly sha256: string,
  ) {}

  decisions(cases: number): string {
    return `${this.name} (weights ${this.sha256.slice(0, 8)}) on ${cases} long held-out problems of seed ${this.seed}`;
  }

  async decode(index: number, request: DecodeRequest): Promise<DecidedCase> {
    const { engine, tokenizer } = this;
    const { maskId, eosId } = engine.config;
    const problem = generateProblem(this.seed, index, 'long', 'heldout');
    const promptIds = encodePrompt(tokenizer, problem.prompt);
    const { onStart, ...rest } = request;
    if (maskId !== null) onStart?.(request.policy.start(promptIds, request.genLength, maskId));
    const { steps, tokens } = await decode({ ...rest, engine, promptIds });
    const end = tokens.indexOf(eosId);
    const score = scoreResponse(problem, tokenizer.decode(end < 0 ? tokens : tokens.slice(0, end)));
    return {
      promptLength: promptIds.length,
      steps,
      tokens,
      eosId,
      answer: {
        exact: score.exact,
        tasksRight: score.tasks.filter((task) => task.correct).length,
        tasks: score.tasks.length,
      },
    };
  }

  close(): void {
    this.engine.dispose();
  }
}
