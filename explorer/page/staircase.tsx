import type { StaircaseView } from '../worker/view.js';
import { duration } from './format.js';

const WIDTH = 420;
const HEIGHT = 150;
const LEFT = 44;
const BOTTOM = 30;
const TOP = 14;

/** How long a step takes by its rows, with the step that is shown. */
export function Staircase({
  staircase,
  rows,
  tileRows,
}: {
  staircase: StaircaseView;
  rows: number;
  tileRows: number;
}) {
  const { points, context } = staircase;
  const most = points[points.length - 1].rows;
  const top = Math.max(...points.map(({ allLogitsMs }) => allLogitsMs)) * 1.05;
  const x = (count: number) => LEFT + (Math.min(count, most) / most) * (WIDTH - LEFT - 8);
  const y = (ms: number) => HEIGHT - BOTTOM - (ms / top) * (HEIGHT - BOTTOM - TOP);
  const line = (ms: (point: StaircaseView['points'][number]) => number) =>
    points
      .map((point, at) => `${at === 0 ? 'M' : 'L'}${x(point.rows).toFixed(1)} ${y(ms(point)).toFixed(1)}`)
      .join('');
  const at = (count: number) => points.find((point) => point.rows === count);
  const one = at(1)?.oneLogitsMs ?? 0;
  const full = at(tileRows)?.oneLogitsMs ?? 0;
  const next = at(tileRows + 1)?.oneLogitsMs ?? 0;
  const ticks = [1, 8, 16, 32, 48, 64];
  const said = `a step of 1 row takes ${duration(one)}, of ${tileRows} rows ${duration(full)}, of ${tileRows + 1} rows ${duration(next)}, where one row gets logits`;
  return (
    <figure class="staircase">
      <figcaption>
        <b>A step by its rows</b> <span class="quiet">on {context} cached positions</span>
      </figcaption>
      <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} role="img" aria-label={said}>
        {[tileRows, 2 * tileRows].map((edge) => (
          <g key={edge}>
            <line x1={x(edge)} x2={x(edge)} y1={TOP} y2={HEIGHT - BOTTOM} class="edge" />
            <text x={x(edge) - 3} y={TOP + 8} text-anchor="end">
              {edge === tileRows ? 'one tile' : 'two'}
            </text>
          </g>
        ))}
        <line x1={LEFT} x2={WIDTH - 8} y1={HEIGHT - BOTTOM} y2={HEIGHT - BOTTOM} class="axis" />
        {ticks.map((tick) => (
          <text key={tick} x={x(tick)} y={HEIGHT - BOTTOM + 12} text-anchor="middle">
            {tick}
          </text>
        ))}
        <text x={(LEFT + WIDTH) / 2} y={HEIGHT - 4} text-anchor="middle">
          rows
        </text>
        {[0, top / 2, top].map((tick) => (
          <text key={tick} x={LEFT - 5} y={y(tick) + 3} text-anchor="end">
            {tick === 0 ? '0 ms' : Math.round(tick)}
          </text>
        ))}
        <path d={line((point) => point.allLogitsMs)} class="all" />
        <path d={line((point) => point.oneLogitsMs)} class="one" />
        <text x={x(52)} y={y(at(48)?.allLogitsMs ?? 0) - 12} text-anchor="end" class="all">
          all rows get logits
        </text>
        <text x={x(60)} y={y(at(48)?.oneLogitsMs ?? 0) + 15} text-anchor="end" class="one">
          one row does
        </text>
        <line x1={x(rows)} x2={x(rows)} y1={TOP} y2={HEIGHT - BOTTOM} class="now" />
      </svg>
      <p class="quiet">
        1 row takes {duration(one)}, {tileRows} rows {duration(full)}, row {tileRows + 1} costs{' '}
        {duration(Math.max(0, next - full))} more
        {rows > most ? `; the step shown has ${rows} rows` : '; the line marks the step shown'}.
      </p>
    </figure>
  );
}
