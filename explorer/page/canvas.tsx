import { useRef } from 'preact/hooks';
import type { Catalogue, PositionView, StepView } from '../worker/view.js';

/** What a position is shown as: its state, or that it holds a draft. */
export type Shown = 'masked' | 'waiting' | 'draft' | 'visible' | 'stable';

export const SHOWN: Readonly<Record<Shown, string>> = {
  masked: 'masked: nothing computed yet',
  waiting: 'in the window, no token yet',
  draft: 'a draft: a guess for later',
  visible: 'visible: may still change',
  stable: 'stable: final',
};

export function shownAs({ state, draft }: PositionView): Shown {
  if (state === 'S') return 'stable';
  if (state === 'V') return 'visible';
  if (draft !== null) return 'draft';
  return state === 'IV' ? 'waiting' : 'masked';
}

interface Props {
  readonly step: StepView;
  readonly before: StepView | null;
  readonly catalogue: Catalogue;
  readonly blockLength: number;
  /** Position looked at, from 0 in the answer. */
  readonly chosen: number;
  /** A look that lasts as long as the pointer stays; null when it leaves. */
  onHover(position: number | null): void;
  onChoose(position: number): void;
}

/** The text of a token as the page shows it. */
export function tokenText({ vocabulary, endIds, maskId }: Catalogue, token: number): string {
  if (endIds.includes(token)) return '■';
  return token === maskId ? '' : (vocabulary[token] ?? `#${token}`);
}

/** Whether a decided token is another one than a step ago. */
export function isRevised(now: PositionView, before: PositionView | undefined): boolean {
  const decided = (view: PositionView) => view.state === 'V' || view.state === 'S';
  return before !== undefined && decided(before) && decided(now) && before.token !== now.token;
}

/** The answer, a cell per token, in its blocks. Arrows move among the cells. */
export function CanvasView({ step, before, catalogue, blockLength, chosen, onHover, onChoose }: Props) {
  const { positions } = step;
  const grid = useRef<HTMLDivElement>(null);
  const blocks = Array.from({ length: Math.ceil(positions.length / blockLength) }, (_, block) => block);
  const cellAt = (position: number) =>
    grid.current?.querySelector<HTMLElement>(`[data-position="${position}"]`);
  /** Cells side by side on this screen: those at the height of the first. */
  const perRow = () => {
    const top = cellAt(0)?.offsetTop;
    const below = positions.findIndex((_, at) => cellAt(at)?.offsetTop !== top);
    return below < 0 ? positions.length : below;
  };
  const onKey = (event: KeyboardEvent) => {
    const columns = event.key === 'ArrowUp' || event.key === 'ArrowDown' ? perRow() : 1;
    const moves: Record<string, number> = {
      ArrowLeft: -1,
      ArrowRight: 1,
      ArrowUp: -columns,
      ArrowDown: columns,
    };
    const move = moves[event.key];
    if (move === undefined) return;
    event.preventDefault();
    const next = Math.max(0, Math.min(positions.length - 1, chosen + move));
    onChoose(next);
    cellAt(next)?.focus();
  };
  return (
    <div
      class="canvas"
      role="grid"
      ref={grid}
      data-small={blockLength <= 8}
      aria-label="the answer, token by token"
      onKeyDown={onKey}
      onMouseLeave={() => onHover(null)}
    >
      {blocks.map((block) => (
        // biome-ignore lint/a11y/useFocusableInteractive: the cells of a row take the focus
        <div
          class="block"
          role="row"
          key={block}
          aria-label={`block ${block + 1}`}
          data-current={block === step.block}
        >
          {positions.slice(block * blockLength, (block + 1) * blockLength).map((position, at) => {
            const index = block * blockLength + at;
            return (
              <Cell
                key={index}
                index={index}
                position={position}
                revised={isRevised(position, before?.positions[index])}
                fresh={
                  position.change === 'commit' ||
                  position.change === 'draft-accepted' ||
                  position.change === 'promote-best'
                }
                catalogue={catalogue}
                chosen={index === chosen}
                onHover={onHover}
                onChoose={onChoose}
              />
            );
          })}
        </div>
      ))}
    </div>
  );
}

interface CellProps {
  readonly index: number;
  readonly position: PositionView;
  readonly revised: boolean;
  readonly fresh: boolean;
  readonly catalogue: Catalogue;
  readonly chosen: boolean;
  onHover(position: number): void;
  onChoose(position: number): void;
}

function Cell({ index, position, revised, fresh, catalogue, chosen, onHover, onChoose }: CellProps) {
  const shown = shownAs(position);
  const held = shown === 'draft' ? position.draft! : position;
  const empty = shown === 'masked' || shown === 'waiting';
  const text = empty ? '' : tokenText(catalogue, held.token);
  const said = empty
    ? SHOWN[shown]
    : `${shown} ${text === '■' ? 'end of text' : text}, confidence ${held.confidence.toFixed(2)}`;
  return (
    <div
      role="gridcell"
      class={`cell ${shown}`}
      data-position={index}
      data-computed={position.computed}
      data-fresh={fresh}
      data-revised={revised}
      tabIndex={chosen ? 0 : -1}
      aria-selected={chosen}
      aria-label={`${index + 1}: ${said}${revised ? ', revised in this step' : ''}`}
      onMouseEnter={() => onHover(index)}
      onFocus={() => onChoose(index)}
    >
      <span>{text}</span>
      {empty ? null : <i style={{ width: `${Math.max(0, Math.min(1, held.confidence)) * 100}%` }} />}
    </div>
  );
}

/** What stands at one position: state, confidence, what else it could be. */
export function TokenDetail({ step, catalogue, chosen }: Pick<Props, 'step' | 'catalogue' | 'chosen'>) {
  const position = step.positions[chosen];
  if (position === undefined) return null;
  const shown = shownAs(position);
  const { alternatives, change, computed } = position;
  return (
    <section class="detail" aria-label="the token looked at">
      <p>
        <b>Position {chosen + 1}</b> <span class={`chip ${shown}`}>{SHOWN[shown]}</span>
        {shown === 'visible' || shown === 'stable' ? ` ${position.confidence.toFixed(3)} confident` : null}
        {change === null ? null : <span class="quiet"> · {CHANGES[change]}</span>}
      </p>
      {alternatives.length === 0 ? (
        <p class="quiet">
          {computed
            ? 'Its row was computed without logits in this step: nothing is asked of it.'
            : 'No row was computed for it in this step.'}
        </p>
      ) : (
        <ol class="alternatives">
          {alternatives.map(({ token, probability }) => (
            <li key={token} data-held={token === position.token}>
              <span>{tokenText(catalogue, token) || 'mask'}</span>
              <i style={{ width: `${probability * 100}%` }} />
              <span class="number">{probability >= 0.0005 ? probability.toFixed(3) : '<0.001'}</span>
            </li>
          ))}
        </ol>
      )}
    </section>
  );
}

const CHANGES: Readonly<Record<NonNullable<PositionView['change']>, string>> = {
  commit: 'confident enough: committed in this step',
  'promote-best': 'the best of the step: committed so that there is progress',
  'draft-accepted': 'its draft was accepted in this step',
  'draft-carried': 'its draft was taken over in this step',
  revise: 'changed by the window in this step',
  stabilise: 'confirmed in this step: it stays',
  revoke: 'taken back in this step',
  shift: 'a token of the block moved here, or a mask came in',
  refresh: 'scored again by the CPU beside the step',
  window: 'came into the window in this step',
  final: 'reported at the end',
  stop: 'filled in behind the end',
};
