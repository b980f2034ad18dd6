import { DataError } from '../../src/errors.js';
import { FLOOR } from '../lab/deciders/synthetic/engine.js';
import { contextOf, type ProcessParameters, RIGHT } from '../lab/deciders/synthetic/process.js';
import { type Trajectory, texts } from './trajectory.js';

/** A canvas before a step, and what the step said about its masks. */
export interface RecordedState {
  /** Of each position: masked, right, or wrong. */
  readonly held: readonly ('mask' | 'right' | 'wrong')[];
  readonly rows: readonly { readonly position: number; readonly confidence: number }[];
}

/** States that are looked at: rows of neighbouring steps say almost the same. */
const STATES = 600;

/** Confidences nearer to the ends than this are taken to be this far away: rounding decides there. */
const EDGE = 1e-4;

/**
 * States of recorded decodes, evenly taken from their steps. Where no reference says what is right, the final text counts as right.
 * @throws DataError when no step has confidences
 */
export function recordedStates(trajectories: readonly Trajectory[], origin: string): RecordedState[] {
  const steps = trajectories.reduce((sum, each) => sum + each.steps.length, 0);
  const every = Math.max(1, Math.floor(steps / STATES));
  let count = 0;
  const states = trajectories.flatMap((trajectory) => {
    const text = texts(trajectory);
    const right = trajectory.reference ?? (text.at(-1) as number[]);
    const end = trajectory.textTokens ?? right.length;
    return trajectory.steps.flatMap(({ tokens, confidences, masked }, step): RecordedState[] => {
      if (count++ % every !== 0 || confidences === undefined) return [];
      const open = new Set(masked);
      const before = step === 0 ? text[0] : text[step - 1];
      const rows = masked
        .filter((position) => position < end && tokens[position] >= 0)
        .map((position) => ({
          position,
          confidence: Math.min(1 - EDGE, Math.max(FLOOR + EDGE, confidences[position])),
        }));
      const held = right.map((token, at) =>
        open.has(at) ? 'mask' : before[at] === token ? 'right' : 'wrong',
      );
      return rows.length === 0 ? [] : [{ held, rows }];
    });
  });
  if (states.length === 0)
    throw new DataError(
      `${origin}: no step has confidences of masked positions: a history of tokens alone cannot be fitted`,
    );
  return states;
}

export interface RowSurroundings {
  readonly gap: number;
  readonly density: number;
  readonly confidence: number;
}

/** What the process would see around each recorded row. */
export function rowsOf(
  states: readonly RecordedState[],
  { densityScale, wrongWeight }: Pick<ProcessParameters, 'densityScale' | 'wrongWeight'>,
): RowSurroundings[] {
  const weightOf = { mask: 0, right: RIGHT, wrong: wrongWeight };
  return states.flatMap(({ held, rows }) => {
    const { gap, density } = contextOf(
      Float64Array.from(held, (each) => weightOf[each]),
      densityScale,
    );
    return rows.map(({ position, confidence }) => ({
      gap: gap[position],
      density: density[position],
      confidence,
    }));
  });
}
