import { totalLength } from '../canvas/geometry.js';
import type { Canvas, Position, Range, TransitionReason } from '../canvas/types.js';
import { composePolicy } from '../method/compose.js';
import type { StepRecord } from '../method/step-record.js';
import type { Trace } from './trace.js';

/** `M` masked, `I` invisible, `D` masked or invisible with a draft, `V` visible, `S` stable. */
export type CarpetMark = 'M' | 'I' | 'D' | 'V' | 'S';

/** The generated positions after one step. */
export interface CarpetColumn {
  /** From 0. */
  readonly step: number;
  /** Current block, from 0. */
  readonly block: number;
  /** Of the main pass. */
  readonly kind: string;
  /** Rows of the main pass. */
  readonly window: Range;
  /** Marks of the generated positions after the step, one letter each. */
  readonly marks: string;
  /** Token or draft token per generated position; null where there is none. */
  readonly tokens: readonly (number | null)[];
}

/** A visible token that changed identity or fell back to the mask. */
export interface Revision {
  /** From 0. */
  readonly step: number;
  /** In the whole sequence, prompt included. */
  readonly position: number;
  /** Token id. */
  readonly tokenBefore: number;
  /** Token id. */
  readonly token: number;
  /** What changed it. */
  readonly reason: TransitionReason;
}

/** Position x step matrix of a decode: the denoising carpet. */
export interface Carpet {
  /** Tokens of the prompt. */
  readonly promptLength: number;
  /** Positions generated. */
  readonly genLength: number;
  /** Positions of a block. */
  readonly blockLength: number;
  /** Column 0 is the state after step 0. */
  readonly columns: readonly CarpetColumn[];
  /** Step at which each generated position last stopped being masked; null if it never did. */
  readonly commitSteps: readonly (number | null)[];
  /** Tokens that changed after they were visible. */
  readonly revisions: readonly Revision[];
}

/** Mark of a position as shown in carpets and terminals. */
export function markOf(position: Pick<Position, 'state' | 'draft'>): CarpetMark {
  if (position.state === 'V' || position.state === 'S') return position.state;
  if (position.draft !== null) return 'D';
  return position.state === 'IV' ? 'I' : 'M';
}

/** @param start canvas before the first step */
export function carpetOf(start: Canvas, steps: readonly StepRecord[]): Carpet {
  const positions = start.positions.map((position) => ({ ...position }));
  const commitSteps = new Map<number, number>();
  const revisions: Revision[] = [];
  const columns = steps.map(({ plan, transitions, draftWrites }): CarpetColumn => {
    for (const t of transitions) {
      Object.assign(positions[t.position], { state: t.to, token: t.token });
      const decides = (t.from === 'M' || t.from === 'IV') && (t.to === 'V' || t.to === 'S');
      if (decides) commitSteps.set(t.position, plan.step);
      if (t.from === 'V' && t.tokenBefore !== t.token) {
        revisions.push({
          step: plan.step,
          position: t.position,
          tokenBefore: t.tokenBefore,
          token: t.token,
          reason: t.reason,
        });
      }
    }
    for (const { position, draft } of draftWrites) positions[position].draft = draft;
    const rows = plan.passes[0].rows.map((row) => row.position);
    const shown = positions.slice(start.promptLength);
    return {
      step: plan.step,
      block: plan.block,
      kind: plan.passes[0].kind,
      window: { start: Math.min(...rows), end: Math.max(...rows) + 1 },
      marks: shown.map(markOf).join(''),
      tokens: shown.map(({ state, token, draft }) =>
        state === 'V' || state === 'S' ? token : (draft?.token ?? null),
      ),
    };
  });
  const generated = Array.from(
    { length: totalLength(start) - start.promptLength },
    (_, index) => start.promptLength + index,
  );
  return {
    promptLength: start.promptLength,
    genLength: start.genLength,
    blockLength: start.blockLength,
    columns,
    commitSteps: generated.map((position) => commitSteps.get(position) ?? null),
    revisions,
  };
}

/** Carpet of a recorded decode. */
export function carpetOfTrace(trace: Trace): Carpet {
  const { policy, promptIds, genLength, maskId, given, eosId } = trace.header;
  const start = composePolicy(policy).start(promptIds, genLength, maskId, {
    endIds: [eosId].flat(),
    given,
  });
  return carpetOf(start, trace.steps);
}
