import type { DecodingPolicy } from '../../decode/compose.js';
import { decode } from '../../decode/session.js';
import type { Canvas, Pass } from '../../decode/types.js';
import { UsageError } from '../../errors.js';
import type { Engine } from '../engine.js';
import { recordMargins } from '../margins.js';
import { type Divergence, firstDifference, type Run } from '../verify/verify-policy.js';
import { type Agreement, AgreementCounter, compareRow, rowState } from './agreement.js';

export interface CompareOptions {
  /** Decides what both compute. */
  readonly reference: Engine;
  readonly engine: Engine;
  readonly policy: DecodingPolicy;
  readonly problems: readonly { readonly index: number; readonly promptIds: readonly number[] }[];
  readonly genLength: number;
  /** Margin in logits below which a row counts as a near-tie. */
  readonly nearTie: number;
  readonly onProgress?: (done: number, total: number) => void;
  readonly signal?: AbortSignal;
}

/** The answers of both engines to one problem, each decoding on its own. */
export interface ProblemAnswers {
  readonly problem: number;
  readonly reference: readonly number[];
  readonly engine: readonly number[];
  readonly differentTokens: number;
  /** Where the engine first decides otherwise; null when all tokens are the same. */
  readonly first: Omit<Divergence, 'problem' | 'against'> | null;
}

export interface EngineComparison {
  readonly reference: string;
  readonly engine: string;
  readonly policy: string;
  readonly nearTie: number;
  /** Same passes on both: every row of every denoising and refresh pass of the reference's decodes. */
  readonly agreement: readonly Agreement[];
  /** Each on its own. */
  readonly tokens: { readonly compared: number; readonly different: number };
  readonly answers: readonly ProblemAnswers[];
}

/**
 * What another engine's arithmetic changes. First both engines compute the same passes, those of the reference's
 * decode, each on the KV entries that it computed itself, and the logits of every row are compared, rows that the
 * policy would skip included. Then each decodes on its own and the tokens are compared.
 * @throws UsageError when the engines run models of different shape
 */
export async function compareEngines(options: CompareOptions): Promise<EngineComparison> {
  const { reference, engine, policy, problems, genLength, nearTie, onProgress, signal } = options;
  if (reference.config.vocab !== engine.config.vocab) {
    throw new UsageError(`${reference.name} and ${engine.name} run models with different vocabularies`);
  }
  const counter = new AgreementCounter(nearTie);
  const run = async (who: Engine, promptIds: readonly number[], teacher?: Teacher): Promise<Run> => {
    const recorder = recordMargins(teacher?.engine ?? who);
    const result = await decode({
      ...{ policy, engine: recorder.engine, promptIds, genLength },
      ...(signal === undefined ? {} : { signal }),
      onStep: (_, canvas) => teacher?.follow(canvas),
    });
    return { ...result, margins: recorder.margins };
  };
  const answers: ProblemAnswers[] = [];
  for (const [done, { index, promptIds }] of problems.entries()) {
    onProgress?.(done, problems.length);
    const start = policy.start(promptIds, genLength, reference.config.maskId ?? -1);
    const expected = await run(reference, promptIds, new Teacher(reference, engine, start, counter));
    const own = await run(engine, promptIds);
    const different = own.tokens.filter((token, at) => token !== expected.tokens[at]).length;
    answers.push({
      ...{ problem: index, reference: expected.tokens, engine: own.tokens, differentTokens: different },
      first: firstDifference(own, expected, promptIds.length),
    });
  }
  onProgress?.(problems.length, problems.length);
  return {
    ...{ reference: reference.name, engine: engine.name, policy: policy.name, nearTie },
    agreement: counter.result(),
    tokens: {
      compared: problems.length * genLength,
      different: answers.reduce((sum, answer) => sum + answer.differentTokens, 0),
    },
    answers,
  };
}

/** Lets the reference decode and has the other engine compute every pass as well. */
class Teacher {
  readonly engine: Engine;

  constructor(
    private readonly reference: Engine,
    private readonly other: Engine,
    private canvas: Canvas,
    private readonly counter: AgreementCounter,
  ) {
    this.engine = {
      name: reference.name,
      config: reference.config,
      run: (pass) => this.run(pass),
      retain: (live) => {
        reference.retain(live);
        other.retain(live);
      },
      readKv: (ref) => reference.readKv(ref),
      // Whoever made the engines disposes of them.
      dispose: () => {},
    };
  }

  follow(canvas: Canvas): void {
    this.canvas = canvas;
  }

  private async run(pass: Pass) {
    const asked = pass.logits.length > 0;
    const all: Pass = asked ? { ...pass, logits: pass.rows.map((_, row) => row) } : pass;
    const expected = (await this.reference.run(all)).logits;
    const actual = (await this.other.run(all)).logits;
    if (!asked) return { logits: expected };
    const { vocab, maskId, shiftLogits } = this.reference.config;
    pass.rows.forEach((row, index) => {
      // A shifted model predicts the next position from this row.
      const position = row.position + (shiftLogits ? 1 : 0);
      const at = this.canvas.positions[position];
      if (at === undefined) return;
      const state = rowState(at.state, position < this.canvas.promptLength);
      this.counter.add(state, compareRow(expected, actual, index * vocab, vocab, maskId));
    });
    const logits = new Float32Array(pass.logits.length * vocab);
    pass.logits.forEach((row, i) => {
      logits.set(expected.subarray(row * vocab, (row + 1) * vocab), i * vocab);
    });
    return { logits };
  }
}
