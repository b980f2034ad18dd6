import { useEffect, useState } from 'preact/hooks';
import type { Catalogue, StepView } from '../worker/view.js';
import { CanvasView, isRevised, SHOWN, type Shown, TokenDetail, tokenText } from './canvas.js';
import { Carpet, revisedIn } from './carpet.js';
import type { Client } from './client.js';
import { Compare, describe } from './compare.js';
import { GuideStrip } from './guide.js';
import { GUIDES } from './guides.js';
import { LETTERS, linkOf, settingsIn } from './link.js';
import { MachineView } from './machine.js';
import { PlayerBar, usePlayer, usePlayerKeys } from './player.js';
import { type Run, useRuns } from './runs.js';
import { SettingsPanel } from './settings.js';
import { Share } from './share.js';

interface Props {
  readonly client: Client;
  readonly catalogue: Catalogue;
}

/** What the address asks for, or the first lesson; `fault` where the address asks for nothing that there is. */
function firstSettings(): {
  readonly settings: readonly unknown[];
  readonly guide: number | null;
  readonly fault: string | null;
} {
  try {
    const settings = settingsIn(location.hash);
    if (settings !== null) return { settings, guide: null, fault: null };
    return { settings: GUIDES[0].settings, guide: 0, fault: null };
  } catch (error) {
    return {
      settings: GUIDES[0].settings,
      guide: 0,
      fault: error instanceof Error ? error.message : String(error),
    };
  }
}

export function App({ client, catalogue }: Props) {
  const [first] = useState(firstSettings);
  const [guide, setGuide] = useState(first.guide);
  const [active, setActive] = useState(first.guide === null ? 0 : GUIDES[first.guide].show);
  const [hovered, setHovered] = useState<number | null>(null);
  const [pinned, setPinned] = useState<number | null>(null);
  const runs = useRuns(client, first.settings);
  const index = Math.min(active, runs.list.length - 1);
  const run = runs.list[index];
  const player = usePlayer(run.steps.length, run.outcome !== null, `${run.key} ${JSON.stringify(run.asked)}`);
  usePlayerKeys(player, run.steps.length);
  useLink(runs.list);
  const open = (at: number) => {
    setGuide(at);
    setActive(GUIDES[at].show);
    runs.replace(GUIDES[at].settings);
  };
  const step = run.steps[player.at];
  const revisions = run.steps.flatMap((each, at) =>
    revisedIn(each, run.steps[at - 1]).length > 0 ? [at] : [],
  );
  const chosen = hovered ?? pinned ?? newest(step, run.steps[player.at - 1]);
  return (
    <>
      <header>
        <h1>dllm-npu explorer</h1>
        <p>
          A diffusion language model starts from blanks and fills in a few tokens per step. A small one does
          so here, and every step is timed on a model of a phone&apos;s NPU, at the size of a real one.
        </p>
      </header>
      {first.fault === null ? null : (
        <p class="fault" role="alert">
          {first.fault}. The first lesson is shown.
        </p>
      )}
      <GuideStrip open={guide} onOpen={open} />
      <div class="tabs" role="group" aria-label="setting that is shown">
        {runs.list.map((each, at) => (
          <button type="button" key={each.key} aria-pressed={at === index} onClick={() => setActive(at)}>
            {LETTERS[at]} <small>{describe(each, runs.list[0])}</small>
          </button>
        ))}
        <Progress run={run} />
      </div>
      <main>
        {run.described === null ? (
          <Refused run={run} onReset={() => runs.replace([{}])} />
        ) : (
          <SettingsPanel
            letter={LETTERS[index]}
            catalogue={catalogue}
            described={run.described}
            fault={run.fault}
            onChange={(setting) => {
              setGuide(null);
              runs.change(index, setting);
            }}
          />
        )}
        <section class="decode panel" aria-labelledby="decode-title">
          <h2 id="decode-title">
            The answer <small>tiny-llada, {run.described?.setting.policy}</small>
          </h2>
          <PlayerBar player={player} steps={run.steps.length} revisions={revisions} />
          {step === undefined || run.described === null ? (
            <p class="quiet">{run.fault === null ? 'Decoding ...' : 'Refused: the setting says why.'}</p>
          ) : (
            <>
              <CanvasView
                step={step}
                before={run.steps[player.at - 1] ?? null}
                catalogue={catalogue}
                blockLength={blockLengthOf(run)}
                chosen={chosen}
                onHover={setHovered}
                onChoose={setPinned}
              />
              <Legend />
              <TokenDetail step={step} catalogue={catalogue} chosen={chosen} />
              <AsText run={run} at={player.at} catalogue={catalogue} />
              <Carpet steps={run.steps} at={player.at} onShow={player.show} />
            </>
          )}
        </section>
        {step === undefined || run.described === null ? (
          <section class="machine panel">
            <p class="quiet">{run.fault === null ? 'Timing ...' : 'Nothing to time.'}</p>
          </section>
        ) : (
          <MachineView
            described={run.described}
            step={step}
            outcome={run.outcome}
            staircase={run.staircase}
          />
        )}
      </main>
      <Compare
        runs={runs.list}
        catalogue={catalogue}
        active={index}
        at={player.at}
        onShow={(at, at_step) => {
          if (at === index) player.show(at_step);
          setActive(at);
        }}
        onPosition={setPinned}
        onCopy={() => {
          setGuide(null);
          setActive(runs.list.length);
          runs.copy(index);
        }}
        onRemove={(at) => {
          setActive(Math.max(0, at <= index ? index - 1 : index));
          runs.remove(at);
        }}
      />
      <Share runs={runs.list} active={index} catalogue={catalogue} />
      <footer>
        <p class="quiet">
          Keys: space plays, arrows step, Home and End jump. Nothing leaves this page: model and machine run
          in it.
        </p>
      </footer>
    </>
  );
}

/** Where to look when nobody points: a token that the step revised, what it decided, else the first row that it computed. */
function newest(step: StepView | undefined, before: StepView | undefined): number {
  const positions = step?.positions ?? [];
  const revised = step === undefined ? [] : revisedIn(step, before);
  if (revised.length > 0) return revised[0];
  const changed = positions.findIndex(({ change }) => change !== null && change !== 'window');
  return Math.max(0, changed >= 0 ? changed : positions.findIndex(({ computed }) => computed));
}

/** Keeps the address saying what is shown. */
function useLink(list: readonly Run[]): void {
  const settings = list.map(({ described, asked }) => described?.link ?? asked);
  const link = linkOf(settings);
  useEffect(() => {
    if (location.hash !== link) history.replaceState(null, '', link);
  }, [link]);
  // A link that is pasted into the address of an open page.
  useEffect(() => {
    const reload = () => location.reload();
    addEventListener('hashchange', reload);
    return () => removeEventListener('hashchange', reload);
  }, []);
}

function blockLengthOf({ described }: Run): number {
  const control = described?.controls.find(({ path }) => path === 'blockLength');
  return Number(control?.value ?? 32);
}

function Progress({ run }: { run: Run }) {
  const { outcome, steps, fault } = run;
  return (
    <p class="progress" role="status">
      {fault !== null
        ? 'refused'
        : outcome === null
          ? `decoding, step ${steps.length}`
          : `${steps.length} steps decoded and timed here in ${(outcome.wallMs / 1000).toFixed(1)} s`}
    </p>
  );
}

function Refused({ run, onReset }: { run: Run; onReset(): void }) {
  return (
    <section class="settings panel">
      {run.fault === null ? (
        <p class="quiet">Reading the setting ...</p>
      ) : (
        <>
          <p class="fault" role="alert">
            {run.fault}
          </p>
          <button type="button" onClick={onReset}>
            Start with the default setting
          </button>
        </>
      )}
    </section>
  );
}

function Legend() {
  return (
    <p class="legend">
      {(Object.keys(SHOWN) as Shown[]).map((shown) => (
        <span key={shown}>
          <i class={`cell ${shown}`} /> {SHOWN[shown]}
        </span>
      ))}
      <span>
        <i class="cell revised" /> revised in this step
      </span>
    </p>
  );
}

/** The answer as it stands. */
function AsText({ run, at, catalogue }: { run: Run; at: number; catalogue: Catalogue }) {
  const { positions } = run.steps[at];
  const before = run.steps[at - 1]?.positions;
  return (
    <p class="as-text">
      {positions.map((position, index) => {
        const decided = position.state === 'V' || position.state === 'S';
        const text = decided ? tokenText(catalogue, position.token) : '░';
        return (
          <span key={index} class={isRevised(position, before?.[index]) ? 'revised' : undefined}>
            {text}{' '}
          </span>
        );
      })}
    </p>
  );
}
