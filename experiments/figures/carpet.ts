import type { Carpet, CarpetStep } from '../studies/ladder/types.js';
import { type Figure, legendBelow } from './page.js';
import { HOUSE_STYLE } from './style.js';

/**
 * Colours of the token states, from pale to dark in equal steps: the order masked, invisible, draft, visible, stable
 * survives a grey print. Blue is Okabe and Ito's, orange a shade of theirs, the others tints. `D` is a masked or
 * invisible position that holds a draft.
 */
export const STATE_COLORS = { M: '#F4F4F4', I: '#C5DCEC', D: '#DFAAC8', V: '#D98E00', S: '#00609A' } as const;
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
export function carpetFigure(carpet: Carpet): Figure {
  const { genLength, blockLength, steps } = carpet;
  const shown = new Set(runs(carpet).map(({ state }) => state));
  const states = (Object.keys(STATE_COLORS) as State[]).filter((state) => shown.has(STATE_NAMES[state]));
  const blockEdges = Array.from(
    { length: Math.ceil(genLength / blockLength) - 1 },
    (_, i) => (i + 1) * blockLength,
  );
  const marked = marks(carpet);
  const kinds = [REVISED, REFRESHED].filter((kind) => marked.some(({ mark }) => mark === kind));
  return (page) => {
    // Whole units: fractional edges leave hairlines between the rectangles of neighbouring steps.
    const rowHeight = Math.min(8, Math.max(2, Math.round(240 / steps.length)));
    const every = Math.ceil((blockEdges.length + 2) / (page.plot / 22));
    const x = {
      type: 'quantitative' as const,
      scale: { domain: [0, genLength], nice: false },
      axis: {
        title: 'position in the answer, tokens',
        values: [0, ...blockEdges, genLength].filter((_, i) => i % every === 0),
        grid: false,
      },
    };
    const y = {
      type: 'quantitative' as const,
      scale: { domain: [0, steps.length], nice: false, reverse: true },
      axis: { title: 'denoising step', grid: false, tickMinStep: 1, tickCount: 6 },
    };
    // A mark must fit its cell, or a long decode turns into a cloud of marks.
    const size = Math.max(3, Math.min(18, (Math.min(rowHeight, page.plot / genLength) * 0.75) ** 2));
    const names = states.map((state) => STATE_NAMES[state]);
    return {
      ...HOUSE_STYLE,
      title: {
        text: `Token states by step: ${carpet.row}`,
        subtitle: `${steps.length} steps for ${genLength} tokens in blocks of ${blockLength}; colour: state after the step`,
      },
      width: page.plot,
      height: steps.length * rowHeight,
      layer: [
        {
          data: { values: runs(carpet) },
          // A little under what is drawn next: between edges that only touch, a raster shows the ground.
          transform: [
            { calculate: `min(datum.next + 0.15, ${steps.length})`, as: 'below' },
            { calculate: `min(datum.end + 0.15, ${genLength})`, as: 'right' },
          ],
          mark: { type: 'rect', stroke: null },
          encoding: {
            x: { ...x, field: 'start' },
            x2: { field: 'right' },
            y: { ...y, field: 'step' },
            y2: { field: 'below' },
            color: {
              field: 'state',
              type: 'nominal',
              scale: { domain: names, range: states.map((state) => STATE_COLORS[state]) },
              legend: { ...legendBelow(page, names), symbolType: 'square', symbolStrokeColor: '#777777' },
            },
          },
        },
        ...(blockEdges.length === 0
          ? []
          : [
              {
                data: { values: blockEdges.map((edge) => ({ edge })) },
                mark: { type: 'rule' as const, color: '#444444', strokeWidth: 0.6, strokeDash: [3, 2] },
                encoding: { x: { ...x, field: 'edge' } },
              },
            ]),
        ...(kinds.length === 0
          ? []
          : [
              {
                data: { values: marked },
                mark: { type: 'point' as const, filled: true, opacity: 1, strokeWidth: 0 },
                encoding: {
                  x: { ...x, field: 'position' },
                  y: { ...y, field: 'step' },
                  size: { value: size },
                  shape: {
                    field: 'mark',
                    type: 'nominal' as const,
                    scale: {
                      domain: kinds,
                      range: kinds.map((kind) => (kind === REVISED ? 'cross' : 'triangle-up')),
                    },
                    legend: { ...legendBelow(page, kinds), symbolFillColor: '#111111', symbolSize: 30 },
                  },
                  color: { value: '#111111' },
                },
              },
            ]),
      ],
    };
  };
}
