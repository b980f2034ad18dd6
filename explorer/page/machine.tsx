import type { Described, OutcomeView, StaircaseView, StepView } from '../worker/view.js';
import { bytes, duration, joules, share } from './format.js';
import { Staircase } from './staircase.js';

const TRACK_NAMES: Readonly<Record<string, string>> = {
  driver: 'driver',
  dma: 'DMA',
  l2: 'L2 path',
  vector: 'vector',
  matrix: 'matrix',
  cpu: 'CPU',
  gpu: 'GPU',
  staging: 'staging',
  refresh: 'refresh',
};

interface Props {
  readonly described: Described;
  readonly step: StepView;
  readonly outcome: OutcomeView | null;
  readonly staircase: StaircaseView | null;
}

/** The step on the machine: what was busy, what it cost. */
export function MachineView({ described, step, outcome, staircase }: Props) {
  const { machine } = step;
  const { breakdown, counters } = machine;
  const { profile, stack, costModel, quant } = described.setting;
  return (
    <section class="machine panel" aria-labelledby="machine-title">
      <h2 id="machine-title">
        The same step on {profile}{' '}
        <small>
          {costModel} {quant}, {stack}, simulated
        </small>
      </h2>
      <p class="headline">
        <b>{duration(machine.ms)}</b> held up by the <b>{TRACK_NAMES[breakdown.bound] ?? breakdown.bound}</b>
        <span class="quiet"> · {duration(machine.startMs + machine.ms)} since the start</span>
      </p>
      <Tile step={step} tileRows={described.tileRows} />
      <Lanes step={step} />
      <Parts step={step} />
      <dl class="facts">
        <Fact
          name="staged"
          value={bytes(counters.stagedBytes)}
          about="weights copied into the window during the step"
        />
        <Fact
          name="mapped"
          value={bytes(counters.mappedBytes)}
          about={`${counters.mapOps} mappings in the step`}
        />
        <Fact name="DRAM" value={bytes(counters.dramBytes)} about="read and written by everything" />
        <Fact
          name="energy"
          value={joules(machine.joules)}
          about={`${joules(machine.joulesRange[0])} to ${joules(machine.joulesRange[1])}: every number in it is assumed`}
        />
      </dl>
      <Window outcome={outcome} described={described} />
      {staircase === null ? (
        <p class="quiet">Timing the staircase ...</p>
      ) : (
        <Staircase staircase={staircase} rows={step.rows} tileRows={described.tileRows} />
      )}
    </section>
  );
}

function Fact({ name, value, about }: { name: string; value: string; about: string }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>
        <b>{value}</b> <span class="quiet">{about}</span>
      </dd>
    </div>
  );
}

const ROW_NAMES = {
  prompt: 'prompt',
  earlier: 'finished block',
  block: 'current block',
  ahead: 'lookahead',
  guesses: 'guesses',
} as const;

/** The rows of the pass in the tiles that the matrix unit computes whole. */
export function Tile({ step, tileRows }: { step: StepView; tileRows: number }) {
  const { rows, rowsOf } = step;
  const tiles = Math.ceil(rows / tileRows);
  const kinds = (Object.keys(ROW_NAMES) as (keyof typeof ROW_NAMES)[]).filter((kind) => rowsOf[kind] > 0);
  const wasted = tiles * tileRows - rows;
  const cells = [
    ...kinds.flatMap((kind) => Array<string>(rowsOf[kind]).fill(kind)),
    ...Array<string>(wasted).fill('padding'),
  ];
  const said = `${rows} rows in ${tiles} ${tiles === 1 ? 'tile' : 'tiles'} of ${tileRows}: ${wasted} rows of padding`;
  return (
    <figure class="tiles">
      <figcaption>
        <b>{rows} rows</b> in {tiles} {tiles === 1 ? 'tile' : 'tiles'} of {tileRows}
        {wasted > 0 ? (
          <span class="quiet">, {wasted} rows computed for nothing</span>
        ) : (
          <span class="quiet">, full</span>
        )}
      </figcaption>
      <div class="tile-rows" role="img" aria-label={said} style={{ '--tile': tileRows }}>
        {cells.slice(0, 256).map((kind, at) => (
          <i key={at} class={kind} />
        ))}
      </div>
      <p class="legend">
        {kinds.map((kind) => (
          <span key={kind}>
            <i class={kind} /> {rowsOf[kind]} {ROW_NAMES[kind]}
          </span>
        ))}
        {step.sideRows > 0 ? <span>{step.sideRows} refreshed by the CPU beside it</span> : null}
        <span>{step.logitsRows} of them get logits</span>
      </p>
    </figure>
  );
}

/** Who is busy when: the whole step, and the layer in its middle. */
function Lanes({ step }: { step: StepView }) {
  const { lanes, layer, ms } = step.machine;
  return (
    <div class="lanes">
      <figure>
        <figcaption>
          <b>Busy over the step</b> <span class="quiet">0 to {duration(ms)}</span>
        </figcaption>
        {lanes.map(({ track, busy }) => {
          const mean = busy.reduce((sum, each) => sum + each, 0) / busy.length;
          const path = busy
            .map((each, at) => (each > 0 ? `M${at} 1V${(1 - each).toFixed(3)}h1V1z` : ''))
            .join('');
          return (
            <div class="lane" key={track}>
              <span>{TRACK_NAMES[track]}</span>
              <svg
                viewBox={`0 0 ${busy.length} 1`}
                preserveAspectRatio="none"
                role="img"
                aria-label={`${TRACK_NAMES[track]} busy ${share(mean)} of the step`}
              >
                <path d={path} class={`track ${track}`} />
              </svg>
              <span class="number">{share(mean)}</span>
            </div>
          );
        })}
      </figure>
      {layer === null ? null : (
        <figure>
          <figcaption>
            <b>Layer {layer.index + 1}, magnified</b>{' '}
            <span class="quiet">{duration(layer.endMs - layer.startMs)}</span>
          </figcaption>
          {lanes
            .filter((lane) => lane.layer.length > 0)
            .map((lane) => (
              <div class="lane" key={lane.track}>
                <span>{TRACK_NAMES[lane.track]}</span>
                <div
                  class="spans"
                  role="img"
                  aria-label={[...new Set(lane.layer.map(({ what }) => what))].join(', ')}
                >
                  {lane.layer.map(({ startMs, endMs, what }, at) => (
                    <span
                      key={at}
                      class={`track ${lane.track}`}
                      title={`${what}: ${duration(endMs - startMs)}`}
                      style={{
                        left: `${((startMs - layer.startMs) / (layer.endMs - layer.startMs)) * 100}%`,
                        width: `${((endMs - startMs) / (layer.endMs - layer.startMs)) * 100}%`,
                      }}
                    >
                      {what}
                    </span>
                  ))}
                </div>
                <span />
              </div>
            ))}
        </figure>
      )}
    </div>
  );
}

const ROLES: Readonly<Record<string, string>> = {
  q: 'query product',
  k: 'key product',
  v: 'value product',
  o: 'attention output',
  gate: 'FFN gate',
  up: 'FFN up',
  down: 'FFN down',
  head: 'vocabulary head',
  rmsnorm: 'RMS norm',
  swiglu: 'SwiGLU',
  rope: 'RoPE',
};

/** `NPU gate` as people call it. */
function partName(name: string): string {
  const [place, ...rest] = name.split(' ');
  const role = rest.join(' ');
  return role in ROLES ? `${ROLES[role]}, ${place}` : name;
}

/** What the time of the step was spent on. */
function Parts({ step }: { step: StepView }) {
  const { breakdown, ms } = step.machine;
  const first = breakdown.parts.slice(0, 5);
  const rest = ms - first.reduce((sum, part) => sum + part.ms, 0);
  return (
    <figure class="parts">
      <figcaption>
        <b>Where the time goes</b>
      </figcaption>
      <ol>
        {[...first, { name: 'everything else', ms: rest }].map((part) => (
          <li key={part.name}>
            <span>{partName(part.name)}</span>
            <i style={{ width: `${(part.ms / ms) * 100}%` }} />
            <span class="number">{duration(Math.max(0, part.ms))}</span>
          </li>
        ))}
      </ol>
    </figure>
  );
}

/** What fits into the addresses of the NPU. */
function Window({ outcome, described }: { outcome: OutcomeView | null; described: Described }) {
  if (outcome === null) return null;
  const { memory } = outcome;
  if (memory === null)
    return (
      <p class="quiet">
        Memory mode {described.setting.memory}: every weight has an address. On the phone the NPU sees{' '}
        {bytes(described.windowBytes)} at a time.
      </p>
    );
  const { windowBytes, mappedBytes, stagedBytes, absentBytes } = memory;
  const whole = Math.max(windowBytes, mappedBytes) + stagedBytes + absentBytes;
  const outside = stagedBytes + absentBytes;
  return (
    <figure class="window">
      <figcaption>
        <b>Address window</b>{' '}
        <span class="quiet">
          {bytes(mappedBytes)} of {bytes(windowBytes)} in use
          {outside > 0
            ? `; ${bytes(outside)} of weights have no address: ${stagedBytes > 0 ? 'copied in every step' : 'mapped when needed'}`
            : '; everything fits'}
        </span>
      </figcaption>
      <div
        class="window-bar"
        role="img"
        aria-label={`${bytes(mappedBytes)} mapped, ${bytes(outside)} outside the window`}
      >
        <i class="mapped" style={{ width: `${(mappedBytes / whole) * 100}%` }} />
        <i class="free" style={{ width: `${(Math.max(0, windowBytes - mappedBytes) / whole) * 100}%` }} />
        <i class="outside" style={{ width: `${(outside / whole) * 100}%` }} />
      </div>
    </figure>
  );
}
