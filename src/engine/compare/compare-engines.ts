import type { Canvas } from '../../decode/canvas/types.js';
import type { DecodingPolicy } from '../../decode/method/compose.js';
import { decode } from '../../decode/method/session.js';
import { UsageError } from '../../errors.js';
import type { Pass } from '../../pass/pass.js';
import type { Engine } from '../engine.js';
import { recordMargins } from '../margins.js';
import { type DecodeWithMargins, type Divergence, firstDifference } from '../verify/verify-policy.js';
import {
  type Agreement,
  AgreementCounter,
  agreementOf,
  compareRow,
  type RowAgreement,
  type RowDifference,
  rowState,
} from './agreement.js';
import { firstParting, type Parting } from './parting.js';

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
  /** The first decision that differs, which may be earlier and only a matter of order; null when none does. */
  readonly parting: Parting | null;
}

/** One scored pass of the reference's decode: a denoising state, or a refresh beside it. */
export interface StateAgreement extends RowAgreement {
  readonly problem: number;
  readonly step: number;
  readonly pass: Pass['kind'];
  /** Rows of the pass; a row about a position past the end is computed and not compared. */
  readonly passRows: number;
  /** Cached positions that its rows read. */
  readonly reads: number;
}

export interface EngineComparison {
  readonly reference: string;
  readonly engine: string;
  readonly policy: string;
  readonly nearTie: number;
  /** Same passes on both: every row of every denoising and refresh pass of the reference's decodes. */
  readonly agreement: readonly Agreement[];
  /** The same rows, state by state. */
  readonly states: readonly StateAgreement[];
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
  const run = async (
    who: Engine,
    promptIds: readonly number[],
    teacher?: Teacher,
  ): Promise<DecodeWithMargins> => {
    const recorder = recordMargins(teacher?.engine ?? who);
    const result = await decode({
      policy,
      engine: recorder.engine,
      promptIds,
      genLength,
      signal,
      onStep: (_, canvas) => teacher?.follow(canvas),
    });
    return { ...result, margins: recorder.margins };
  };
  const answers: ProblemAnswers[] = [];
  const states: StateAgreement[] = [];
  for (const [done, { index, promptIds }] of problems.entries()) {
    onProgress?.(done, problems.length);
    // Only states are read of it, which no end token changes.
    const start = policy.start(promptIds, genLength, reference.config.maskId ?? -1);
    const onPass = (pass: Pass, step: number, rows: readonly RowDifference[]): void => {
      const place = { problem: index, step, pass: pass.kind, passRows: pass.rows.length };
      states.push({ ...place, reads: pass.reads.length, ...agreementOf(rows, nearTie) });
    };
    const teacher = new Teacher(reference, engine, start, counter, onPass);
    const expected = await run(reference, promptIds, teacher);
    const own = await run(engine, promptIds);
    const different = own.tokens.filter((token, at) => token !== expected.tokens[at]).length;
    answers.push({
      problem: index,
      reference: expected.tokens,
      engine: own.tokens,
      differentTokens: different,
      first: firstDifference(own, expected, promptIds.length),
      parting: firstParting(own, expected),
    });
  }
  onProgress?.(problems.length, problems.length);
  return {
    reference: reference.name,
    engine: engine.name,
    policy: policy.name,
    nearTie,
    agreement: counter.result(),
    states,
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
    private readonly onPass: (pass: Pass, step: number, rows: readonly RowDifference[]) => void,
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
    const compared: RowDifference[] = [];
    pass.rows.forEach((row, index) => {
      // A shifted model predicts the next position from this row.
      const position = row.position + (shiftLogits ? 1 : 0);
      const at = this.canvas.positions[position];
      if (at === undefined) return;
      const state = rowState(at.state, position < this.canvas.promptLength);
      const difference = compareRow(expected, actual, index * vocab, vocab, maskId);
      compared.push(difference);
      this.counter.add(state, difference);
    });
    this.onPass(pass, this.canvas.step, compared);
    const logits = new Float32Array(pass.logits.length * vocab);
    pass.logits.forEach((row, i) => {
      logits.set(expected.subarray(row * vocab, (row + 1) * vocab), i * vocab);
    });
    return { logits };
  }
}
