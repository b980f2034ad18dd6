import { STATE_COLORS } from '../../experiments/figures/carpet.js';
import type { Catalogue } from '../worker/view.js';
import { isRevised, type Shown, shownAs } from './canvas.js';
import { describe } from './compare.js';
import { duration } from './format.js';
import { LETTERS } from './link.js';
import type { Run } from './runs.js';

const COLORS: Readonly<Record<Shown, string>> = {
  masked: STATE_COLORS.M,
  waiting: STATE_COLORS.I,
  draft: STATE_COLORS.D,
  visible: STATE_COLORS.V,
  stable: STATE_COLORS.S,
};
const NAMES: Readonly<Record<Shown, string>> = {
  masked: 'masked',
  waiting: 'in the window',
  draft: 'draft',
  visible: 'visible',
  stable: 'stable',
};

const WIDTH = 640;
const LEFT = 52;
const CARPET_HEIGHT = 150;

/** All settings as one picture: position to the right, simulated time downwards on one scale, colour the state. */
export function figureSvg(runs: readonly Run[], _catalogue: Catalogue): string {
  const ended = runs.filter(({ outcome }) => outcome !== null);
  const longest = Math.max(...ended.map(({ outcome }) => outcome!.seconds * 1000));
  const parts: string[] = [];
  let top = 24;
  parts.push(legend(top - 12));
  for (const run of ended) {
    const letter = LETTERS[runs.indexOf(run)];
    const { seconds } = run.outcome!;
    parts.push(
      text(
        LEFT,
        top + 22,
        `${letter}  ${describe(run, runs[0])}: ${duration(seconds * 1000)}, ${run.steps.length} steps`,
        13,
        'bold',
      ),
    );
    top += 30;
    parts.push(carpet(run, top, longest));
    const height = (CARPET_HEIGHT * seconds * 1000) / longest;
    parts.push(text(4, top + 9, '0 s', 11), text(4, top + height, duration(seconds * 1000), 11));
    top += height + 18;
  }
  parts.push(
    text(
      LEFT,
      top + 4,
      'position in the answer to the right, simulated time downwards on one scale; dots: a token was revised',
      11,
    ),
  );
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${Math.ceil(top + 16)}" width="${WIDTH}" height="${Math.ceil(top + 16)}" font-family="DejaVu Sans, sans-serif"><rect width="100%" height="100%" fill="#fff"/>${parts.join('')}</svg>\n`;
}

function legend(y: number): string {
  return (Object.keys(COLORS) as Shown[])
    .map(
      (shown, at) =>
        `<rect x="${LEFT + at * 108}" y="${y - 9}" width="10" height="10" fill="${COLORS[shown]}" stroke="#999" stroke-width=".5"/>${text(LEFT + at * 108 + 15, y, NAMES[shown], 11)}`,
    )
    .join('');
}

function carpet({ steps }: Run, top: number, longest: number): string {
  const positions = steps[0].positions.length;
  const width = (WIDTH - LEFT - 12) / positions;
  const scale = CARPET_HEIGHT / longest;
  return steps
    .map(({ positions: cells, machine }, step) => {
      const y = top + machine.startMs * scale;
      const height = machine.ms * scale;
      const rects: string[] = [];
      for (let from = 0; from < cells.length; ) {
        const shown = shownAs(cells[from]);
        let to = from + 1;
        while (to < cells.length && shownAs(cells[to]) === shown) to++;
        rects.push(
          `<rect x="${f(LEFT + from * width)}" y="${f(y)}" width="${f((to - from) * width)}" height="${f(height)}" fill="${COLORS[shown]}" shape-rendering="crispEdges"/>`,
        );
        from = to;
      }
      const before = steps[step - 1]?.positions;
      const marks = cells.flatMap((cell, at) =>
        isRevised(cell, before?.[at])
          ? [`<circle cx="${f(LEFT + (at + 0.5) * width)}" cy="${f(y + height / 2)}" r="2" fill="#111"/>`]
          : [],
      );
      return rects.join('') + marks.join('');
    })
    .join('');
}

const f = (value: number): string => String(Math.round(value * 100) / 100);

function text(x: number, y: number, content: string, size: number, weight = 'normal'): string {
  const safe = content.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
  return `<text x="${x}" y="${f(y)}" font-size="${size}" font-weight="${weight}" fill="#222">${safe}</text>`;
}

/** What the page shows as numbers, for every setting. */
export function figuresJson(runs: readonly Run[]): string {
  const data = runs.flatMap((run, at) => {
    if (run.outcome === null || run.described === null) return [];
    const { trace: _, wallMs: __, ...outcome } = run.outcome;
    const steps = run.steps.map(
      ({ positions: _positions, machine: { lanes: _lanes, layer: _layer, ...machine }, ...step }) => ({
        ...step,
        machine,
      }),
    );
    return [{ name: LETTERS[at], command: run.described.command, ...outcome, steps }];
  });
  return `${JSON.stringify(data, null, 1)}\n`;
}
