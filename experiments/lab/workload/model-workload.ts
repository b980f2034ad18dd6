import { decode } from '../../../src/decode/method/session.js';
import type { Engine } from '../../../src/engine/engine.js';
import { UsageError } from '../../../src/errors.js';
import { fileSha256, loadModel } from '../../../src/model/load.js';
import { encodePrompt } from '../../../src/model/prompt.js';
import type { Tokenizer } from '../../../src/model/tokenizer.js';
import { generateProblem } from '../../../src/score/problems.js';
import { scoreResponse } from '../../../src/score/score.js';
import { type DecidingEngine, openEngine } from '../open-engine.js';
import type { DecodeRequest, Workload, WorkloadDecode } from './workload.js';

/** As many as the paper's latency experiments have cases. */
const PAPER_CASES = 5;

/** A trained model on its own held-out problems. */
class ModelWorkload implements Workload {
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

  async decode(index: number, request: DecodeRequest): Promise<WorkloadDecode> {
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

/** @throws UsageError for an unknown model or one without a tokenizer */
export async function openModelWorkload(
  model: string,
  seed: number,
  kind: DecidingEngine,
): Promise<Workload> {
  const loaded = await loadModel(model);
  const { tokenizer, weights, weightsPath } = loaded;
  if (tokenizer === null) throw new UsageError(`model ${model} has no tokenizer.json beside its weights`);
  const engine = await openEngine(kind, loaded);
  const sha256 = await fileSha256(weightsPath);
  await weights.close();
  return new ModelWorkload(model, seed, engine, tokenizer, sha256);
}
