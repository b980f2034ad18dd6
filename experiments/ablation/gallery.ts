import { decode } from '../../src/decode/session.js';
import type { StepRecord } from '../../src/decode/step-record.js';
import type { Canvas } from '../../src/decode/types.js';
import { generateProblem } from '../../src/train/problems.js';
import type { LadderContext } from './context.js';
import { LADDER, type LadderRow } from './ladder.js';
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

/** Decodes the first prompt once more with everything recorded. */
export async function gallery(context: LadderContext, signal?: AbortSignal): Promise<Gallery> {
  const carpets: Carpet[] = [];
  const timelines: Timeline[] = [];
  for (const row of LADDER) {
    const wantsCarpet = CARPET_ROWS.includes(row.name);
    const wantsTimeline = TIMELINE_ROWS.includes(row.name);
    if (!wantsCarpet && !wantsTimeline) continue;
    const recorded = await record(context, row, signal);
    if (wantsCarpet) carpets.push(recorded.carpet);
    if (wantsTimeline) timelines.push(recorded.timeline);
  }
  return { carpets, timelines };
}

async function record(
  context: LadderContext,
  row: LadderRow,
  signal: AbortSignal | undefined,
): Promise<{ carpet: Carpet; timeline: Timeline }> {
  const { seed, firstIndex, genLength, blockLength } = context.options;
  const problem = generateProblem(seed, firstIndex, 'long', 'heldout');
  const promptIds = context.promptIds(problem);
  const machine = context.machine(row, true);
  const pieces = new Map<number, number>();
  const piece = (token: number): number => {
    const known = pieces.get(token);
    if (known !== undefined) return known;
    pieces.set(token, pieces.size);
    return pieces.size - 1;
  };
  const steps: CarpetStep[] = [];
  const records: StepRecord[] = [];
  await decode({
    policy: context.policy(row.policy, row),
    engine: context.engine,
    promptIds,
    genLength,
    timer: machine,
    ...(signal === undefined ? {} : { signal }),
    onStep: (step, canvas) => {
      records.push(step);
      steps.push(carpetStep(step, canvas, piece));
    },
  });
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
    timeline: stepTimeline(machine.timeline(), middleDenoise(records), { row: row.name, prompt: firstIndex }),
  };
}

/** A denoising step in the middle of the answer: neither prefill nor tail. */
function middleDenoise(records: readonly StepRecord[]): number {
  const denoising = records.filter(({ plan }) => plan.passes[0].kind === 'denoise');
  return denoising[Math.floor(denoising.length / 2)].plan.step;
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
  };
}
