import type { Machine, StepBreakdown } from '../../sim/machine/machine.js';
import type { Canvas } from '../../src/decode/canvas/types.js';
import type { DecodingPolicy } from '../../src/decode/method/compose.js';
import { inBlocksOf } from '../../src/decode/method/fits.js';
import {
  type DecodeResult,
  decode as decodeSession,
  type OnLogits,
} from '../../src/decode/method/session.js';
import type { StepRecord } from '../../src/decode/method/step-record.js';
import type { StepTimer } from '../../src/decode/method/timer.js';
import { usualPolicy } from '../../src/decode/policies.js';
import type { PolicySpec, PolicySpecInput } from '../../src/decode/spec.js';
import { type Trace, traceOf } from '../../src/decode/trace/trace.js';
import type { RanOn } from '../../src/engine/engine.js';
import { watchRanOn } from '../../src/engine/ran-on.js';
import { UsageError } from '../../src/errors.js';
import { answerText } from '../../src/model/answer-text.js';
import type { Message } from '../../src/model/chat-template.js';
import type { ModelConfig } from '../../src/model/config.js';
import { splitAtMask } from '../../src/model/fill-in.js';
import { openPolicy } from '../lab/open.js';
import type { MachineDescription } from './machine.js';
import { type EngineChoice, encodeFor, type Model, withEngine } from './model.js';
import { policy } from './policy.js';
import { refuseUnknown } from './refuse-unknown.js';
import { type Run, startRun } from './run.js';

/** What is decoded, by which method and engine, and what times it. */
export interface DecodeRequest extends EngineChoice {
  /** From `loadModel`. */
  readonly model: Model;
  /** A text, the turns of a dialogue, or the token ids of the whole prompt. Masks in it are filled in. */
  readonly prompt: string | readonly Message[] | readonly number[];
  /**
   * Around a text: `file` (the Jinja template of the model's files), `chat` (its family's own), `plain`, `none`, or the
   * name of one of several templates in the files.
   * @defaultValue `'file'` when the model comes with a template, else `'plain'` or, without its tokens, `'none'`
   */
  readonly template?: string;
  /**
   * A name, decoded in the blocks that the model was trained with, or a spec from `policy()`.
   * @defaultValue the policy of the model's family: `'llada.cpp'` for LLaDA and Dream, `'autoregressive'` for Llama
   */
  readonly policy?: string | PolicySpecInput;
  /**
   * Positions to generate behind the prompt; for most policies a multiple of the block length. 0 only fills in masks.
   * @defaultValue 128
   */
  readonly genLength?: number;
  /** Times the decode: a chip from `machine()`, or a clock of your own. Without one nothing is timed. */
  readonly timer?: MachineDescription | StepTimer;
  /** Stops the decode between two steps. */
  readonly signal?: AbortSignal;
  /** Called with what the engine said of each pass, to look at: alternatives to the tokens that were taken. */
  readonly onLogits?: OnLogits;
}

/** A token that a step decided. */
export interface CommittedToken {
  /** In the whole sequence, prompt included. */
  readonly position: number;
  /** Token id. */
  readonly id: number;
  /** The token as text; null without a tokenizer. */
  readonly text: string | null;
  /** Confidence under the policy's rule, 0 to 1 for probabilities. */
  readonly confidence: number;
}

/** One step of a decode. */
export interface DecodeStep {
  /** From 0. */
  readonly index: number;
  /** Tokens that this step decided, by position. */
  readonly committed: readonly CommittedToken[];
  /** Simulated length of the step in ms; null without a timer. */
  readonly ms: number | null;
  /** What held the step up longest; null without a modelled chip. */
  readonly bound: StepBreakdown['bound'] | null;
  /** Where the time of the step went; null without a modelled chip. */
  readonly breakdown: StepBreakdown | null;
  /** The sequence after the step, with the state of every position. */
  readonly canvas: Canvas;
  /** Everything that happened: plan, outcomes, transitions, timing. One line of a trace. */
  readonly record: StepRecord;
}

/** What a decode produced and what it took. */
export interface DecodeAnswer {
  /** Up to the end of text, with the prompt where masks in it were filled in; null without a tokenizer. */
  readonly text: string | null;
  /** The generated tokens, `genLength` of them; from the first mask on where the prompt has any. */
  readonly tokens: readonly number[];
  /** Forward passes on the main path (NFE), prefill and sealing included. */
  readonly forwards: number;
  /** Simulated seconds; null without a timer. */
  readonly seconds: number | null;
  /** The machine as the decode left it: breakdown of the last step, memory map, timeline. Null without a modelled chip. */
  readonly machine: Machine | null;
  /** Device of the engine, and which operators ran on the CPU instead; null for an engine that has one place. */
  readonly ranOn: RanOn | null;
  /** Tokens, canvas, counters and records as the session returned them. */
  readonly decode: DecodeResult;
  /** The decode as a trace, for `writeTrace`, `checkTrace` and `replayTrace`. */
  readonly trace: Trace;
}

/**
 * Decodes one prompt. It starts at once; look at the steps with `for await`, or only await the result. Two decodes of
 * one model may run at the same time. Errors reject the result and end the loop over the steps: UsageError for a wrong
 * request, EnvironmentError when the engine is not installed, DataError for damaged weights, CheckError when a law of
 * decoding is broken; an aborted signal rejects with its reason.
 */
export function decode(request: DecodeRequest): Run<DecodeStep, DecodeAnswer> {
  return startRun((push) => run(request, push));
}

async function run(request: DecodeRequest, push: (step: DecodeStep) => void): Promise<DecodeAnswer> {
  refuseUnknown('setting of a decode', request, SETTINGS);
  const { model, genLength = 128, signal, onLogits } = request;
  const { config } = model;
  const { promptIds, given } = splitAtMask(idsOf(request), config.maskId);
  const spec = request.policy === undefined ? usualPolicy(config) : policyFor(request.policy, config);
  return withEngine(model, request, { signal }, async (engine) => {
    const { method, timer, chip } = await timedMethod(spec, request.timer, config);
    const options = {
      policy: method,
      engine,
      promptIds,
      genLength: genLength + (given?.length ?? 0),
      given,
      timer,
      signal,
      onLogits,
    };
    const ranOn = watchRanOn(engine);
    let index = 0;
    const result = await decodeSession({
      ...options,
      onStep(record, canvas) {
        const { timing } = record;
        const breakdown = chip?.stepBreakdown() ?? null;
        push({
          index: index++,
          committed: committedIn(record, model),
          ms: timing === null ? null : timing.endMs - timing.startMs,
          bound: breakdown?.bound ?? null,
          breakdown,
          canvas,
          record,
        });
      },
    });
    const endMs = result.steps.at(-1)?.timing?.endMs;
    return {
      text: answerText(model, result.tokens, given === undefined ? undefined : { promptIds, given }),
      tokens: result.tokens,
      forwards: result.counters.nfe,
      seconds: endMs === undefined ? null : endMs / 1000,
      machine: chip,
      ranOn: ranOn(),
      decode: result,
      trace: traceOf(options, result),
    };
  });
}

/** A named policy in the blocks of the model; a spec says its own. */
function policyFor(asked: string | PolicySpecInput, config: ModelConfig): PolicySpec {
  const spec = policy(asked);
  return typeof asked === 'string' ? inBlocksOf(spec, config) : spec;
}

const SETTINGS: Readonly<Record<keyof DecodeRequest, true>> = {
  model: true,
  prompt: true,
  template: true,
  policy: true,
  genLength: true,
  timer: true,
  signal: true,
  onLogits: true,
  engine: true,
  backend: true,
  threads: true,
  compute: true,
  device: true,
};

/** @throws UsageError for an unknown template, an id outside the vocabulary, or a text without a tokenizer */
function idsOf({ model, prompt, template }: DecodeRequest): readonly number[] {
  const { config } = model;
  if (isIds(prompt)) {
    const wrong = prompt.find((id) => !Number.isInteger(id) || id < 0 || id >= config.vocab);
    if (wrong === undefined) return prompt;
    throw new UsageError(
      `token id ${wrong} is outside the vocabulary of ${config.name} (0 to ${config.vocab - 1})`,
    );
  }
  return encodeFor(model, prompt, template);
}

function isIds(prompt: DecodeRequest['prompt']): prompt is readonly number[] {
  return typeof prompt !== 'string' && prompt.every((part) => typeof part === 'number');
}

interface TimedMethod {
  readonly method: DecodingPolicy;
  readonly timer: StepTimer | undefined;
  /** The timer, when it is a modelled chip. */
  readonly chip: Machine | null;
}

async function timedMethod(
  spec: PolicySpec,
  timer: DecodeRequest['timer'],
  config: ModelConfig,
): Promise<TimedMethod> {
  if (timer === undefined || 'time' in timer) return { method: openPolicy(spec), timer, chip: null };
  const chip = await timer.open(config);
  // Lookahead asks for costs in a steady state, on a machine of its own.
  const costs = await timer.open(config);
  return { method: openPolicy(spec, () => costs), timer: chip, chip };
}

function committedIn({ transitions }: StepRecord, { tokenizer }: Model): CommittedToken[] {
  return transitions
    .filter(({ from, to }) => (from === 'M' || from === 'IV') && (to === 'V' || to === 'S'))
    .map(({ position, token: id, confidence }) => ({
      position,
      id,
      text: tokenizer?.decode([id], { skipSpecial: false }) ?? null,
      confidence,
    }))
    .sort((a, b) => a.position - b.position);
}
