import type { Canvas } from '../../../src/decode/canvas/types.js';
import type { DecodingPolicy } from '../../../src/decode/method/compose.js';
import type { StepRecord } from '../../../src/decode/method/step-record.js';
import type { StepTimer } from '../../../src/decode/method/timer.js';
import type { ModelConfig } from '../../../src/model/config.js';
import type { DeciderName } from './name.js';

export interface CaseRequest {
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
  readonly tasks: readonly { readonly kind: string; readonly correct: boolean }[];
}

/** What was decided for one case. */
export interface DecidedCase {
  readonly promptLength: number;
  /** Positions behind the prompt that were given, masks among them; left out where there were none. */
  readonly given?: number;
  readonly steps: readonly StepRecord[];
  /** The generated ones. */
  readonly tokens: readonly number[];
  readonly endIds: readonly number[];
  /** Null where nothing says what is right: a confidence process has no answers. */
  readonly answer: Answer | null;
}

/**
 * Who decides: a trained model, a recorded decode, or a confidence process. Every decider is decoded by the same
 * session, policies and rules, and timed by the same machines; results name it.
 */
export interface Decider {
  /** As on the command line, e.g. `tiny-llada`, `synthetic:hard`, `trace:FILE`. */
  readonly name: string;
  readonly kind: DeciderName['kind'];
  /** Engine that ran a model; null where none ran. */
  readonly engineName: string | null;
  /** Model that is decoded, whose blocks a policy follows; left out where none is. */
  readonly trained?: ModelConfig;
  /** Cases when the user names no number. */
  readonly defaultCases: number;
  /** Who decides, for reports. */
  decisions(cases: number): string;
  /**
   * @param index case, from 0
   * @throws UsageError when the decider cannot serve the policy or the case
   */
  decode(index: number, request: CaseRequest): Promise<DecidedCase>;
  close(): void;
}
