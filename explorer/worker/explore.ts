import { type DecodeStep, decode } from '../../experiments/library/decode.js';
import { generationSpec } from '../../experiments/library/generation-spec.js';
import { machine } from '../../experiments/library/machine.js';
import type { Model } from '../../experiments/library/model.js';
import { energyOf } from '../../sim/energy/energy.js';
import type { Machine } from '../../sim/machine/machine.js';
import type { Span } from '../../sim/machine/timeline.js';
import type { Canvas } from '../../src/decode/canvas/types.js';
import { isStepTiming, type StepTiming } from '../../src/decode/method/timer.js';
import { formatTrace, type Trace } from '../../src/decode/trace/trace.js';
import { CheckError, UsageError } from '../../src/errors.js';
import { fileSha256 } from '../../src/model/load.js';
import type { Pass } from '../../src/pass/pass.js';
import { generateProblem, type Problem } from '../../src/score/problems.js';
import { scoreResponse } from '../../src/score/score.js';
import type { Setting } from '../setting/setting.js';
import { lanesOf } from './lanes.js';
import type { Alternative, MemoryView, OutcomeView, PositionView, RowsView, StepView } from './view.js';

/** The seed that `generate` takes its problems from. */
const PROBLEM_SEED = 1;
/** Tokens shown for a position. */
const ALTERNATIVES = 5;

/** The held-out problem of a setting. */
export function problemOf({ problem }: Pick<Setting, 'problem'>): Problem {
  return generateProblem(PROBLEM_SEED, problem, 'long', 'heldout');
}

/**
 * Decodes a setting on its machine, with the code that `dllm-npu generate` runs.
 * @param onStep told every step, as soon as it is there
 * @throws what `decode` throws, and UsageError for settings that do not fit together
 */
export async function explore(
  model: Model,
  setting: Setting,
  onStep: (step: StepView) => void,
  signal?: AbortSignal,
): Promise<OutcomeView> {
  const began = performance.now();
  const {
    prompt,
    profile,
    stack,
    costModel: shapes,
    quant,
    memory,
    placement,
    numbers: set,
    genLength,
  } = setting;
  if (genLength === 0 && prompt === null)
    throw new UsageError('genLength: nothing to generate: take 32 or more');
  const problem = prompt === null ? problemOf(setting) : null;
  const described = machine({ profile, stack, shapes, quant, memory, placement, set, record: true });
  // The first machine is the clock; a second one, which adaptive lookahead asks for costs, is not looked at.
  let chip: Machine | undefined;
  const timer = {
    name: described.name,
    async open(config?: Model['config']) {
      const opened = await described.open(config);
      chip ??= opened;
      return opened;
    },
  };
  /** By pass: the decode may be ahead of the loop below. */
  const heard = new Map<string, Alternatives>();
  const run = decode({
    model,
    prompt: problem?.prompt ?? prompt ?? '',
    policy: generationSpec(model.config, setting),
    genLength,
    timer,
    signal,
    onLogits(pass, logits) {
      if (pass.lane === 'main') heard.set(pass.id, alternativesOf(pass, logits, model.config.vocab));
    },
  });
  const spans = new SpanReader();
  const timings: StepTiming[] = [];
  for await (const step of run) {
    const timing = timingOf(step);
    timings.push(timing);
    const main = step.record.plan.passes.find(({ lane }) => lane === 'main')!;
    const alternatives = heard.get(main.id) ?? new Map();
    heard.delete(main.id);
    onStep(stepView(step, { timing, main, alternatives, chip: chip!, spans: spans.of(chip!, step.index) }));
  }
  const { text, tokens, forwards, seconds, trace, decode: result } = await run.result;
  const { joules, range } = energyOf(timings, chip!.options.profile);
  return {
    text: text ?? '',
    tokens,
    forwards,
    tokensPerForward: result.counters.tokensPerForward,
    seconds: seconds ?? 0,
    joules,
    joulesRange: range,
    right: problem === null ? null : scoreResponse(problem, text ?? '').exact,
    machine: chip!.name,
    memory: memoryView(chip!),
    trace: formatTrace(await identified(trace, model)),
    wallMs: performance.now() - began,
  };
}

function memoryView(chip: Machine): MemoryView | null {
  const map = chip.memoryMap();
  if (map === null) return null;
  const sum = (parts: readonly { readonly bytes: number }[]) =>
    parts.reduce((all, { bytes }) => all + bytes, 0);
  return {
    windowBytes: chip.options.profile.window.bytes,
    mappedBytes: sum(map.mapped),
    stagedBytes: sum(map.staged),
    absentBytes: sum(map.absent),
  };
}

/** Recorded spans lie in the order of steps: each is looked at once. */
class SpanReader {
  private at = 0;

  of(chip: Machine, step: number) {
    const { spans } = chip.timeline();
    const from = this.at;
    while (this.at < spans.length && spans[this.at].step <= step) this.at++;
    return spans.slice(from, this.at);
  }
}

function timingOf({ record, index }: DecodeStep): StepTiming {
  const { timing } = record;
  if (!isStepTiming(timing)) throw new CheckError(`step ${index} was not timed by a machine`);
  return timing;
}

/** By position in the whole sequence. */
type Alternatives = ReadonlyMap<number, readonly Alternative[]>;

interface StepFacts {
  readonly timing: StepTiming;
  readonly main: Pass;
  readonly alternatives: Alternatives;
  readonly spans: readonly Span[];
  readonly chip: Machine;
}

function stepView(step: DecodeStep, { timing, main, alternatives, spans, chip }: StepFacts): StepView {
  const { canvas, record, index, breakdown } = step;
  if (breakdown === null) throw new CheckError(`step ${index} has no breakdown`);
  const { plan, transitions } = record;
  const side = plan.passes.filter(({ lane }) => lane === 'side');
  const computed = new Set(main.rows.map(({ position }) => position));
  const changes = new Map(transitions.map(({ position, reason }) => [position, reason]));
  const { joules, range } = energyOf([timing], chip.options.profile);
  return {
    index,
    block: plan.block,
    kind: main.kind,
    rows: main.rows.length,
    rowsOf: rowsOf(main, canvas, plan.block),
    logitsRows: main.logits.length,
    sideRows: side.reduce((sum, { rows }) => sum + rows.length, 0),
    positions: canvas.positions.slice(canvas.promptLength).map((position, at): PositionView => {
      const absolute = canvas.promptLength + at;
      const { state, token, confidence, draft } = position;
      return {
        state,
        token,
        confidence,
        draft: draft && { token: draft.token, confidence: draft.confidence },
        change: changes.get(absolute) ?? null,
        computed: computed.has(absolute),
        alternatives: alternatives.get(absolute) ?? [],
      };
    }),
    machine: {
      startMs: timing.startMs,
      ms: timing.endMs - timing.startMs,
      breakdown,
      counters: timing.counters,
      joules,
      joulesRange: range,
      ...lanesOf(spans, timing.startMs, timing.endMs),
    },
  };
}

function rowsOf(
  { rows }: Pass,
  { promptLength, blockOrigin, blockLength }: Canvas,
  current: number,
): RowsView {
  const counts = { prompt: 0, earlier: 0, block: 0, ahead: 0, guesses: 0 };
  const seen = new Set<number>();
  for (const { position } of rows) {
    const block = Math.floor((position - blockOrigin) / blockLength);
    if (seen.has(position)) counts.guesses++;
    else if (position < promptLength) counts.prompt++;
    else if (block < current) counts.earlier++;
    else if (block > current) counts.ahead++;
    else counts.block++;
    seen.add(position);
  }
  return counts;
}

/** The best tokens of every row of a pass by softmax, best first; the first row of a position speaks for it. */
export function alternativesOf(pass: Pass, logits: Float32Array, vocab: number): Alternatives {
  const found = new Map<number, readonly Alternative[]>();
  for (const [row, at] of pass.logits.entries()) {
    const { position } = pass.rows[at];
    if (found.has(position)) continue;
    found.set(position, best(logits.subarray(row * vocab, (row + 1) * vocab)));
  }
  return found;
}

function best(logits: Float32Array): Alternative[] {
  let highest = Number.NEGATIVE_INFINITY;
  for (const logit of logits) highest = Math.max(highest, logit);
  let sum = 0;
  for (const logit of logits) sum += Math.exp(logit - highest);
  const top: { token: number; logit: number }[] = [];
  for (const [token, logit] of logits.entries()) {
    if (top.length === ALTERNATIVES && logit <= top[ALTERNATIVES - 1].logit) continue;
    const place = top.findIndex((other) => other.logit < logit);
    top.splice(place < 0 ? top.length : place, 0, { token, logit });
    top.length = Math.min(top.length, ALTERNATIVES);
  }
  return top.map(({ token, logit }) => ({ token, probability: Math.exp(logit - highest) / sum }));
}

/** As `generate --trace` writes it. */
async function identified(trace: Trace, { weightsPath }: Model): Promise<Trace> {
  const { header } = trace;
  return { ...trace, header: { ...header, model: { ...header.model, hash: await fileSha256(weightsPath) } } };
}
