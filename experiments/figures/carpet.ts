import type { TopLevelSpec } from 'vega-lite';
import type { Carpet, CarpetStep } from '../studies/ladder/types.js';
import { HOUSE_STYLE, PAGE_WIDTH } from './style.js';

/**
 * Colours of the token states, from pale to dark: the order M, IV, draft, V, S survives a grey print. Orange and
 * blue are Okabe and Ito's, the others tints of them. `D` is a masked or invisible position that holds a draft.
 */
export const STATE_COLORS = { M: '#F1F1F1', I: '#C9DFEE', D: '#DBA6C4', V: '#E69F00', S: '#0072B2' } as const;
export const STATE_NAMES = { M: 'masked', I: 'invisible', D: 'draft', V: 'visible', S: 'stable' } as const;

type State = keyof typeof STATE_COLORS;

interface Run {
  readonly step: number;
  readonly next: number;
  readonly start: number;
  readonly end: number;
  readonly state: string;
}

/** Neighbouring positions of equal state in one step become one rectangle: 128 x 128 cells stay a small figure. */
function runs(carpet: Carpet): Run[] {
  return carpet.steps.flatMap((step, index) =>
    [...withDrafts(step).matchAll(/(.)\1*/g)].map((match) => ({
      step: index,
      next: index + 1,
      start: match.index,
      end: match.index + match[0].length,
      state: STATE_NAMES[match[1] as State],
    })),
  );
}

/** States of a step with `D` where an undecided position holds a draft. */
function withDrafts(step: CarpetStep): string {
  const letters = [...step.states];
  for (const [position] of step.drafts) {
    if (letters[position] === 'M' || letters[position] === 'I') letters[position] = 'D';
  }
  return letters.join('');
}

interface Mark {
  readonly position: number;
  readonly step: number;
  readonly mark: string;
}

const REVISED = 'token revised';
const REFRESHED = 'CPU refresh landed';

function marks(carpet: Carpet): Mark[] {
  return carpet.steps.flatMap((step, index) => {
    const at = (positions: readonly number[], mark: string) =>
      positions.map((position) => ({ position: position + 0.5, step: index + 0.5, mark }));
    return [...at(step.revised, REVISED), ...at(step.refreshed, REFRESHED)];
  });
}

/**
 * One decode as a matrix: position to the right, step downwards, colour = state after the step; marks for revisions
 * and landed refreshes; lines between blocks.
 */
export function carpetSpec(carpet: Carpet): TopLevelSpec {
  const { genLength, blockLength, steps } = carpet;
  const states = Object.keys(STATE_COLORS) as State[];
  const blockEdges = Array.from(
    { length: Math.ceil(genLength / blockLength) - 1 },
    (_, i) => (i + 1) * blockLength,
  );
  const width = PAGE_WIDTH - 150;
  // Whole pixels: fractional edges leave hairlines between the rectangles of neighbouring steps.
  const rowHeight = Math.min(10, Math.max(3, Math.round(360 / steps.length)));
  const x = {
    type: 'quantitative' as const,
    scale: { domain: [0, genLength], nice: false },
    axis: {
      title: 'position in the answer',
      values: [0, ...blockEdges, genLength],
      grid: false,
      labelFlush: false,
    },
  };
  const y = {
    type: 'quantitative' as const,
    scale: { domain: [0, steps.length], nice: false, reverse: true },
    axis: { title: 'step', grid: false, tickMinStep: 1, tickCount: 6 },
  };
  // A mark must fit its cell, or a long decode turns into a cloud of marks.
  const size = Math.max(3, Math.min(18, (Math.min(rowHeight, width / genLength) * 0.75) ** 2));
  return {
    ...HOUSE_STYLE,
    title: { text: carpet.row, subtitle: `${carpet.policy}, ${steps.length} steps for ${genLength} tokens` },
    width,
    height: steps.length * rowHeight,
    layer: [
      {
        data: { values: runs(carpet) },
        mark: { type: 'rect', stroke: null },
        encoding: {
          x: { ...x, field: 'start' },
          x2: { field: 'end' },
          y: { ...y, field: 'step' },
          y2: { field: 'next' },
          color: {
            field: 'state',
            type: 'nominal',
            scale: { domain: states.map((s) => STATE_NAMES[s]), range: states.map((s) => STATE_COLORS[s]) },
            legend: {
              title: 'state after the step',
              symbolType: 'square',
              symbolSize: 80,
              symbolStrokeColor: '#999999',
            },
          },
        },
      },
      {
        data: { values: blockEdges.map((edge) => ({ edge })) },
        mark: { type: 'rule', color: '#444444', strokeWidth: 0.8, strokeDash: [3, 2] },
        encoding: { x: { ...x, field: 'edge' } },
      },
      {
        data: { values: marks(carpet) },
        mark: { type: 'point', filled: true, opacity: 1, strokeWidth: 0 },
        encoding: {
          x: { ...x, field: 'position' },
          y: { ...y, field: 'step' },
          size: { value: size },
          shape: {
            field: 'mark',
            type: 'nominal',
            scale: { domain: [REVISED, REFRESHED], range: ['cross', 'triangle-up'] },
            legend: { title: 'marks', symbolFillColor: '#111111', symbolSize: 45 },
          },
          color: { value: '#111111' },
        },
      },
    ],
  };
}
