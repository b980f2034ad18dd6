import type { Canvas } from '../../../src/decode/canvas/types.js';
import { type DecodeOptions, type DecodeResult, decode } from '../../../src/decode/method/session.js';
import type { StepRecord } from '../../../src/decode/method/step-record.js';
import { type Trace, traceOf } from '../../../src/decode/trace/trace.js';
import { generateProblem, type Problem } from '../../../src/score/problems.js';
import type { LadderContext } from './context.js';
import { LADDER, type LadderRow } from './ladder.js';
import { usesClock } from './prompt-job.js';
import { stepTimeline } from './step-timeline.js';
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
  context: LadderContext,
  onTrace?: OnTrace,
  signal?: AbortSignal,
): Promise<Gallery> {
  const carpets: Carpet[] = [];
  const timelines: Timeline[] = [];
  const recorder = new Recorder(context, signal);
  for (const row of LADDER) {
    const wantsCarpet = CARPET_ROWS.includes(row.name);
    const wantsTimeline = TIMELINE_ROWS.includes(row.name);
    if (!wantsCarpet && !wantsTimeline && onTrace === undefined) continue;
    const recorded = await recorder.record(row, wantsTimeline);
    if (wantsCarpet) carpets.push(recorded.carpet);
    if (recorded.timeline !== null) timelines.push(recorded.timeline);
    onTrace?.(row.name, recorded.trace);
  }
  return { carpets, timelines };
}

/** Decisions of one decode, with the canvas after each step. */
interface Recording {
  readonly result: DecodeResult;
  readonly canvases: readonly Canvas[];
}

class Recorder {
  private readonly problem: Problem;
  private readonly promptIds: readonly number[];
  /** Decodes whose decisions do not depend on the clock, by policy: only their timing differs between rows. */
  private readonly shared = new Map<string, Recording>();

  constructor(
    private readonly context: LadderContext,
    private readonly signal: AbortSignal | undefined,
  ) {
    const { seed, firstIndex } = context.options;
    this.problem = generateProblem(seed, firstIndex, 'long', 'heldout');
    this.promptIds = context.promptIds(this.problem);
  }

  async record(
    row: LadderRow,
    withTimeline: boolean,
  ): Promise<{ carpet: Carpet; timeline: Timeline | null; trace: Trace }> {
    const { context, problem, promptIds } = this;
    const { firstIndex, genLength, blockLength, seed } = context.options;
    const policy = context.policy(row.policy, row);
    const machine = context.machine(row, withTimeline);
    const request = { policy, engine: context.engine, promptIds, genLength, timer: machine };
    const clocked = usesClock(policy);
    let recording = this.shared.get(row.policy);
    if (recording === undefined) {
      recording = await this.decode(request);
      if (!clocked) this.shared.set(row.policy, recording);
    } else {
      const steps = recording.result.steps.map((step) => ({ ...step, timing: machine.time(step.plan) }));
      recording = { ...recording, result: { ...recording.result, steps } };
    }
    const { result, canvases } = recording;
    const pieces = new Map<number, number>();
    const piece = (token: number): number => {
      const index = pieces.get(token) ?? pieces.size;
      pieces.set(token, index);
      return index;
    };
    const steps = result.steps.map((step, index) => carpetStep(step, canvases[index], piece));
    const endPiece = pieces.get(context.eosId);
    return {
      carpet: {
        row: row.name,
        policy: row.policy,
        prompt: { index: firstIndex, text: problem.prompt },
        expected: problem.response,
        genLength,
        blockLength,
        pieces: [...pieces.keys()].map((token) => context.pieceOf(token)),
        endPiece: endPiece ?? null,
        steps,
      },
      timeline: withTimeline
        ? stepTimeline(machine.timeline(), middleDenoise(result.steps), { row: row.name, prompt: firstIndex })
        : null,
      trace: traceOf(request, result, { modelHash: context.model.sha256, seed }),
    };
  }

  private async decode(
    request: Pick<DecodeOptions, 'policy' | 'engine' | 'promptIds' | 'genLength' | 'timer'>,
  ): Promise<Recording> {
    const canvases: Canvas[] = [];
    const result = await decode({
      ...request,
      ...(this.signal === undefined ? {} : { signal: this.signal }),
      onStep: (_, canvas) => canvases.push(canvas),
    });
    return { result, canvases };
  }
}

/** A denoising step in the middle of the answer: neither prefill nor tail. */
function middleDenoise(records: readonly StepRecord[]): number {
  const denoising = records.filter(({ plan }) => plan.passes[0].kind === 'denoise');
  return denoising[Math.floor(denoising.length / 2)].plan.step;
}

/** Three digits: a pixel of the lanes, not a measurement. */
function busyShares({ timing }: StepRecord): Pick<CarpetStep, 'busy'> {
  if (timing === null) return {};
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
    revised: changed.map((t) => t.position - promptLength),
    refreshed: landed.size === 0 ? [] : positionsOf('refresh'),
    ...busyShares(record),
  };
}
