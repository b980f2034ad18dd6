import type { Catalogue } from '../worker/view.js';
import { tokenText } from './canvas.js';
import { duration, joules } from './format.js';
import { LETTERS, MOST_SETTINGS } from './link.js';
import type { Run } from './runs.js';

interface Props {
  readonly runs: readonly Run[];
  readonly catalogue: Catalogue;
  readonly active: number;
  /** Step of the active run. */
  readonly at: number;
  onShow(run: number, step: number): void;
  onPosition(position: number): void;
  onCopy(): void;
  onRemove(run: number): void;
}

/** Settings side by side on one clock. */
export function Compare({ runs, catalogue, active, at, onShow, onPosition, onCopy, onRemove }: Props) {
  const longest = Math.max(1, ...runs.map((run) => endOf(run)));
  return (
    <section class="compare panel" aria-labelledby="compare-title">
      <h2 id="compare-title">
        Side by side <small>on one clock of {duration(longest)}, simulated</small>
      </h2>
      {runs.map((run, index) => (
        <article key={run.key} class="contestant" data-active={index === active}>
          <h3>
            <button type="button" aria-pressed={index === active} onClick={() => onShow(index, 0)}>
              {LETTERS[index]}
            </button>{' '}
            {describe(run, runs[0])}
            {runs.length > 1 ? (
              <button
                type="button"
                class="small"
                onClick={() => onRemove(index)}
                aria-label={`remove ${LETTERS[index]}`}
              >
                remove
              </button>
            ) : null}
          </h3>
          <StepBar
            run={run}
            longest={longest}
            at={index === active ? at : null}
            onShow={(step) => onShow(index, step)}
          />
          <Figures
            run={run}
            base={runs[0]}
            isBase={index === 0}
            catalogue={catalogue}
            onPosition={onPosition}
          />
        </article>
      ))}
      {runs.length < MOST_SETTINGS ? (
        <button type="button" onClick={onCopy}>
          + Compare with a copy of {LETTERS[active]}
        </button>
      ) : null}
    </section>
  );
}

function endOf({ steps }: Run): number {
  const last = steps.at(-1)?.machine;
  return last === undefined ? 0 : last.startMs + last.ms;
}

/** A setting in the words that tell it from the first. */
export function describe(run: Run, base: Run): string {
  const setting = run.described?.setting;
  const first = base.described?.setting;
  if (setting === undefined) return '...';
  const words = [setting.policy];
  for (const [path, value] of Object.entries(setting.options)) words.push(`${path} ${String(value)}`);
  if (setting.blockLength !== null) words.push(`blocks of ${setting.blockLength}`);
  if (first === undefined || run === base) return words.join(', ');
  for (const key of ['costModel', 'quant', 'profile', 'stack', 'memory', 'placement', 'genLength'] as const)
    if (setting[key] !== first[key]) words.push(`${key === 'memory' ? 'memory ' : ''}${setting[key]}`);
  for (const [name, value] of Object.entries(setting.numbers)) words.push(`${name} ${value}`);
  if (setting.prompt !== first.prompt || setting.problem !== first.problem) words.push('another prompt');
  return words.join(', ');
}

/** Every step as long as it takes; the one that is shown is marked. */
function StepBar({
  run,
  longest,
  at,
  onShow,
}: {
  run: Run;
  longest: number;
  at: number | null;
  onShow(step: number): void;
}) {
  const { steps } = run;
  const end = endOf(run);
  const pick = (event: MouseEvent) => {
    const box = (event.currentTarget as HTMLElement).getBoundingClientRect();
    const ms = ((event.clientX - box.left) / box.width) * longest;
    const step = steps.findIndex(({ machine }) => ms < machine.startMs + machine.ms);
    onShow(step < 0 ? steps.length - 1 : step);
  };
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: the slider of the player does the same by keys
    <div class="step-bar" role="img" aria-label={`${steps.length} steps in ${duration(end)}`} onClick={pick}>
      {steps.map(({ index, machine, kind }) => (
        <i
          key={index}
          class={index === at ? `${kind} now` : kind}
          title={`step ${index + 1}: ${duration(machine.ms)}`}
          style={{ left: `${(machine.startMs / longest) * 100}%`, width: `${(machine.ms / longest) * 100}%` }}
        />
      ))}
    </div>
  );
}

interface FiguresProps {
  readonly run: Run;
  readonly base: Run;
  readonly isBase: boolean;
  readonly catalogue: Catalogue;
  onPosition(position: number): void;
}

function Figures({ run, base, isBase, catalogue, onPosition }: FiguresProps) {
  const { outcome, fault, steps } = run;
  if (fault !== null)
    return (
      <p class="fault" role="alert">
        {fault}
      </p>
    );
  if (outcome === null) return <p class="quiet">step {steps.length} ...</p>;
  const against = isBase ? null : base.outcome;
  const differs = against === null ? -1 : firstDifference(outcome.tokens, against.tokens);
  return (
    <p class="figures">
      <span>
        <b>{duration(outcome.seconds * 1000)}</b>
        {against === null ? null : ` · ${(against.seconds / outcome.seconds).toFixed(2)}x the speed of A`}
      </span>
      <span>
        {steps.length} steps, {outcome.tokensPerForward.toFixed(2)} tokens per forward
      </span>
      <span
        title={`${joules(outcome.joulesRange[0])} to ${joules(outcome.joulesRange[1])}, every number in it assumed`}
      >
        {joules(outcome.joules)} ({joules(outcome.joulesRange[0])} to {joules(outcome.joulesRange[1])})
      </span>
      {outcome.right === null ? null : (
        <span class={outcome.right ? 'right' : 'wrong'}>
          {outcome.right ? '✓ right answer' : '✗ wrong answer'}
        </span>
      )}
      {against === null ? null : differs < 0 ? (
        <span>same tokens as A</span>
      ) : (
        <button type="button" class="link" onClick={() => onPosition(differs)}>
          differs from A at token {differs + 1}: {tokenText(catalogue, against.tokens[differs])} became{' '}
          {tokenText(catalogue, outcome.tokens[differs])}
        </button>
      )}
    </p>
  );
}

/** First place where two answers differ; -1 where one goes on as the other. */
export function firstDifference(tokens: readonly number[], others: readonly number[]): number {
  for (let at = 0; at < Math.max(tokens.length, others.length); at++)
    if (tokens[at] !== others[at]) return at;
  return -1;
}
