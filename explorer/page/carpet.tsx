import type { StepView } from '../worker/view.js';
import { isRevised, shownAs } from './canvas.js';

/** All steps of a decode at once: position to the right, step downwards, colour the state. A click goes to the step. */
export function Carpet({
  steps,
  at,
  onShow,
}: {
  steps: readonly StepView[];
  at: number;
  onShow(step: number): void;
}) {
  const width = steps[0]?.positions.length ?? 1;
  const pick = (event: MouseEvent) => {
    const box = (event.currentTarget as HTMLElement).getBoundingClientRect();
    onShow(Math.floor(((event.clientY - box.top) / box.height) * steps.length));
  };
  return (
    <figure class="carpet">
      <figcaption>
        <b>All steps at once</b>{' '}
        <span class="quiet">position to the right, step downwards; dots were revised</span>
      </figcaption>
      {/* biome-ignore lint/a11y/useKeyWithClickEvents: the slider of the player does the same by keys */}
      <svg
        viewBox={`0 0 ${width} ${steps.length}`}
        preserveAspectRatio="none"
        style={{ height: `${Math.max(90, Math.min(240, steps.length * 6))}px` }}
        role="img"
        aria-label={`states of ${width} positions over ${steps.length} steps`}
        onClick={pick}
      >
        {steps.map((step, index) => (
          <Row key={step.index} step={step} before={steps[index - 1]} />
        ))}
        <rect x={0} y={at} width={width} height={1} class="shown" />
      </svg>
    </figure>
  );
}

const rows = new WeakMap<
  StepView,
  readonly { readonly from: number; readonly to: number; readonly shown: string }[]
>();

/** Neighbours of one state as one; a step never changes, so it is looked at once. */
function runsOf(step: StepView) {
  const known = rows.get(step);
  if (known !== undefined) return known;
  const found: { from: number; to: number; shown: string }[] = [];
  for (const [at, position] of step.positions.entries()) {
    const shown = shownAs(position);
    const last = found.at(-1);
    if (last?.shown === shown) last.to = at + 1;
    else found.push({ from: at, to: at + 1, shown });
  }
  rows.set(step, found);
  return found;
}

function Row({ step, before }: { step: StepView; before: StepView | undefined }) {
  return (
    <g transform={`translate(0 ${step.index})`}>
      {runsOf(step).map(({ from, to, shown }) => (
        <rect key={from} x={from} y={0} width={to - from} height={1.02} class={shown} />
      ))}
      {revisedIn(step, before).map((at) => (
        <rect key={`r${at}`} x={at + 0.2} y={0.2} width={0.6} height={0.6} class="dot" />
      ))}
    </g>
  );
}

/** Positions whose token a step changed. */
export function revisedIn(step: StepView, before: StepView | undefined): number[] {
  return step.positions.flatMap((position, at) => (isRevised(position, before?.positions[at]) ? [at] : []));
}
