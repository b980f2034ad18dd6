import type { Canvas } from '../../../src/decode/canvas/types.js';
import type { DecodingPolicy } from '../../../src/decode/method/compose.js';
import type { StepRecord } from '../../../src/decode/method/step-record.js';
import type { StepTimer } from '../../../src/decode/method/timer.js';

/** Who made the decisions: a trained model, a recorded decode, or a confidence process. */
export type DeciderKind = 'model' | 'trace' | 'synthetic';

export interface DecodeRequest {
  readonly policy: DecodingPolicy;
  readonly genLength: number;
  /** Clock of the decode; without one a refresh lands with the step that launched it. */
  readonly timer?: StepTimer;
  /** Called with the canvas before the first step. */
  readonly onStart?: (canvas: Canvas) => void;
  /** Called after each step with the canvas it led to. */
  readonly onStep?: (record: StepRecord, canvas: Canvas) => void;
  readonly signal?: AbortSignal;
}

/** How an answer was scored. */
export interface Answer {
  readonly exact: boolean;
  readonly tasksRight: number;
  readonly tasks: number;
}

export interface DecidedCase {
  readonly promptLength: number;
  readonly steps: readonly StepRecord[];
  readonly tokens: readonly number[];
  readonly eosId: number;
  /** Null where nothing says what is right: a confidence process has no answers. */
  readonly answer: Answer | null;
}

/**
 * Where decisions come from. Every source is decoded by the same session, policies and rules, and timed by the same
 * machines; results name the source.
 */
export interface Decider {
  /** As on the command line, e.g. `tiny-llada`, `synthetic:hard`, `trace:FILE`. */
  readonly name: string;
  readonly kind: DeciderKind;
  /** Cases when the user names no number. */
  readonly defaultCases: number;
  /** Who decides, for reports. */
  decisions(cases: number): string;
  /**
   * @param index case, from 0
   * @throws UsageError when the source cannot serve the policy or the case
   */
  decode(index: number, request: DecodeRequest): Promise<DecidedCase>;
  close(): void;
}
