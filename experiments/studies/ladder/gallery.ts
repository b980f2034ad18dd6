import type { Canvas } from '../../../src/decode/canvas/types.js';
import type { StepRecord } from '../../../src/decode/method/step-record.js';
import { isStepTiming } from '../../../src/decode/method/timer.js';
import { type Trace, traceOf } from '../../../src/decode/trace/trace.js';
import { UsageError } from '../../../src/errors.js';
import { canvasesOf } from '../../lab/deciders/canvases.js';
import type { ModelDecider } from '../../lab/deciders/model.js';
import type { Lab } from '../../lab/lab.js';
import { openMachine, openSpec } from '../../lab/open.js';
import { deciderSchema } from '../../lab/setup.js';
import { LADDER, type LadderRow } from './ladder.js';
import type { AblationOptions } from './options.js';
import { chipOf } from './prompts.js';
import { stepTimeline } from './step-timeline.js';
import { tokenTexts } from './token-texts.js';
import type { Carpet, CarpetStep, Timeline } from './types.js';

const LETTER = { M: 'M', IV: 'I', V: 'V', S: 'S' } as const;

/** Rows whose decode of the first prompt is shown position by step. */
const CARPET_ROWS = ['NPU + prefix KV', '+ MBSD', '+ SCR'];
/** Rows of which one denoising step is shown lane by lane. */
const TIMELINE_ROWS = ['NPU + prefix KV', '+ SOMR', '+ SCR'];

export interface Gallery {
  readonly carpets: readonly Carpet[];
  readonly timelines: readonly Timeline[];
}

/** A row's decode of the first prompt, timing included. */
export type OnTrace = (row: string, trace: Trace) => void;

/** Decodes the first prompt once more under every row with everything recorded. */
export async function gallery(
  options: AblationOptions,
  decider: ModelDecider,
  lab: Lab,
  onTrace?: OnTrace,
  signal?: AbortSignal,
): Promise<Gallery> {
  const carpets: Carpet[] = [];
  const timelines: Timeline[] = [];
  for (const row of LADDER) {
    const wantsCarpet = CARPET_ROWS.includes(row.name);
    const wantsTimeline = TIMELINE_ROWS.includes(row.name);
    if (!wantsCarpet && !wantsTimeline && onTrace === undefined) continue;
    const recorded = await record(options, decider, lab, row, wantsTimeline, signal);
    if (wantsCarpet) carpets.push(recorded.carpet);
    if (recorded.timeline !== null) timelines.push(recorded.timeline);
    onTrace?.(row.name, recorded.trace);
  }
  return { carpets, timelines };
}

async function record(
  options: AblationOptions,
  decider: ModelDecider,
  lab: Lab,
  row: LadderRow,
  withTimeline: boolean,
  signal: AbortSignal | undefined,
): Promise<{ carpet: Carpet; timeline: Timeline | null; trace: Trace }> {
  const { model, firstIndex, genLength, blockLength, seed } = options;
  const { engine, sha256: modelHash } = decider;
  const { maskId, endIds, name } = engine.config;
  if (maskId === null) {
    throw new UsageError(`model ${name} has no mask token, so it cannot be decoded by diffusion`);
  }
  const problem = decider.problem(firstIndex);
  const promptIds = decider.promptIds(problem);
  const chip = chipOf(options, row);
  const { decided, timings, policy } = await lab.solve(
    {
      decider: deciderSchema.parse({ workload: model }),
      seed,
      index: firstIndex,
      genLength,
      spec: openSpec({ policy: row.policy, options: {}, blockLength }),
      clock: chip,
      costs: chip,
    },
    signal,
  );
  const steps = decided.steps.map((step, at) => ({ ...step, timing: timings?.[at] ?? null }));
  const start = policy.start(promptIds, genLength, maskId);
  const canvases = canvasesOf(policy, start, steps);
  const machine = openMachine(chip, { record: withTimeline });
  if (withTimeline) for (const { plan } of steps) machine.time(plan);
  const pieces = new Map<number, number>();
  const piece = (id: number): number => {
    // All end tokens look the same.
    const token = endIds.includes(id) ? endIds[0] : id;
    const index = pieces.get(token) ?? pieces.size;
    pieces.set(token, index);
    return index;
  };
  const carpet = {
    row: row.name,
    policy: row.policy,
    prompt: { index: firstIndex, text: problem.prompt },
    expected: problem.response,
    genLength,
    blockLength,
    steps: steps.map((step, index) => carpetStep(step, canvases[index], piece)),
  };
  const { pieceOf } = tokenTexts(decider.tokenizer, endIds);
  const trace = { policy, engine, promptIds, genLength, timer: machine };
  return {
    carpet: { ...carpet, pieces: [...pieces.keys()].map(pieceOf), endPiece: pieces.get(endIds[0]) ?? null },
    timeline: withTimeline
      ? stepTimeline(machine.timeline(), middleDenoise(steps), { row: row.name, prompt: firstIndex })
      : null,
    trace: traceOf(trace, { steps, tokens: decided.tokens, canvas: start }, { modelHash, seed }),
  };
}

/** A denoising step in the middle of the answer: neither prefill nor tail. */
function middleDenoise(records: readonly StepRecord[]): number {
  const denoising = records.filter(({ plan }) => plan.passes[0].kind === 'denoise');
  return denoising[Math.floor(denoising.length / 2)].plan.step;
}

/** Three digits: a pixel of the lanes, not a measurement. */
function busyShares({ timing }: StepRecord): Pick<CarpetStep, 'busy'> {
  if (!isStepTiming(timing)) return {};
  const ms = timing.endMs - timing.startMs;
  const shares = Object.entries(timing.busyMs).map(([name, busyMs]): [string, number] => [
    name,
    ms === 0 ? 0 : Math.min(1, Math.round((busyMs / ms) * 1000) / 1000),
  ]);
  return { busy: Object.fromEntries(shares) };
}

function carpetStep(record: StepRecord, canvas: Canvas, piece: (token: number) => number): CarpetStep {
  const { promptLength } = canvas;
  const generated = canvas.positions.slice(promptLength);
  const rows = record.plan.passes[0].rows.map((row) => row.position - promptLength).filter((p) => p >= 0);
  const landed = new Set(record.landed);
  const positionsOf = (reason: string): number[] =>
    record.transitions
      .filter((t) => t.reason === reason && t.position >= promptLength)
      .map((t) => t.position - promptLength);
  const changed = record.transitions.filter(
    (t) => t.from !== 'M' && t.from !== 'IV' && t.token !== t.tokenBefore,
  );
  return {
    step: record.plan.step,
    endMs: record.timing?.endMs ?? null,
    window: rows.length === 0 ? [0, 0] : [Math.min(...rows), Math.max(...rows) + 1],
    states: generated.map(({ state }) => LETTER[state]).join(''),
    tokens: generated.map(({ state, token }) => (state === 'V' || state === 'S' ? piece(token) : -1)),
    drafts: generated.flatMap(({ draft }, p) =>
      draft === null ? [] : [[p, piece(draft.token)] as [number, number]],
    ),
    confidences: generated.flatMap(({ confidence, draft }, p) => {
      const value = draft?.confidence ?? confidence;
      return rows.includes(p) && value !== 0
        ? [[p, Math.round(value * 1000) / 1000] as [number, number]]
        : [];
    }),
    revised: changed.map((t) => t.position - promptLength),
    refreshed: landed.size === 0 ? [] : positionsOf('refresh'),
    ...busyShares(record),
  };
}
