import { useEffect, useState } from 'preact/hooks';

/** Which step is shown, and whether it moves on by itself. */
export interface Player {
  readonly at: number;
  readonly playing: boolean;
  /** Steps per second. */
  readonly speed: number;
  show(step: number): void;
  /** Goes on by so many steps, from wherever it is when the call arrives. */
  move(steps: number): void;
  toggle(): void;
  setSpeed(speed: number): void;
}

export const SPEEDS = [2, 5, 10, 20, 40] as const;

/** Whoever asked for less motion starts where the decode ends. */
export function wantsStillness(): boolean {
  return matchMedia('(prefers-reduced-motion: reduce)').matches;
}

/**
 * @param steps there are so far
 * @param done whether there will be no more
 * @param key another one starts from the beginning
 */
export function usePlayer(steps: number, done: boolean, key: unknown): Player {
  const [asked, setAsked] = useState(0);
  const [playing, setPlaying] = useState(false);
  const [speed, setSpeed] = useState<number>(5);
  const last = Math.max(0, steps - 1);
  useEffect(() => {
    setAsked(wantsStillness() ? Number.MAX_SAFE_INTEGER : 0);
    setPlaying(!wantsStillness());
  }, [key]);
  useEffect(() => {
    if (!playing) return;
    const timer = setInterval(() => {
      if (asked < last) setAsked(asked + 1);
      else if (done) setPlaying(false);
    }, 1000 / speed);
    return () => clearInterval(timer);
  }, [playing, speed, asked, last, done]);
  const clamped = (step: number) => Math.max(0, Math.min(step, last));
  const show = (step: number) => {
    setPlaying(false);
    setAsked(clamped(step));
  };
  const move = (by: number) => {
    setPlaying(false);
    setAsked((now) => clamped(Math.min(now, last) + by));
  };
  return {
    at: Math.min(asked, last),
    playing,
    speed,
    show,
    move,
    toggle() {
      if (!playing && asked >= last) setAsked(0);
      setPlaying(!playing);
    },
    setSpeed,
  };
}

/** Buttons, slider and keys. */
export function PlayerBar({
  player,
  steps,
  revisions,
}: {
  player: Player;
  steps: number;
  /** Steps in which a token was revised. */
  revisions: readonly number[];
}) {
  const { at, playing, speed } = player;
  const last = Math.max(0, steps - 1);
  return (
    <div class="player" role="group" aria-label="steps">
      <button type="button" onClick={() => player.toggle()} class="main-button">
        {playing ? 'Pause' : 'Play'}
      </button>
      <button type="button" onClick={() => player.move(-1)} disabled={at === 0} aria-label="one step back">
        ‹
      </button>
      <input
        type="range"
        min={0}
        max={last}
        value={at}
        aria-label="step"
        aria-valuetext={`step ${at + 1} of ${steps}`}
        onInput={(event) => player.show(Number(event.currentTarget.value))}
      />
      <button type="button" onClick={() => player.move(1)} disabled={at >= last} aria-label="one step on">
        ›
      </button>
      <output>
        step {steps === 0 ? 0 : at + 1} of {steps}
      </output>
      {revisions.length === 0 ? null : (
        <button
          type="button"
          onClick={() => player.show(revisions.find((step) => step > at) ?? revisions[0])}
          title={`${revisions.length} steps revised a token`}
        >
          Next revision
        </button>
      )}
      <label>
        <span class="quiet">speed</span>
        <select value={speed} onChange={(event) => player.setSpeed(Number(event.currentTarget.value))}>
          {SPEEDS.map((each) => (
            <option key={each} value={each}>
              {each}/s
            </option>
          ))}
        </select>
      </label>
    </div>
  );
}

/** Keys that work wherever no field takes them: space, arrows, Home, End. */
export function usePlayerKeys(player: Player, steps: number): void {
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      const target = event.target as HTMLElement;
      if (
        event.altKey ||
        event.ctrlKey ||
        event.metaKey ||
        target.closest('input,select,textarea,[role=grid]')
      )
        return;
      if (event.key === ' ' && target.closest('button,summary,a')) return;
      const moves: Record<string, () => void> = {
        ' ': () => player.toggle(),
        ArrowLeft: () => player.move(-1),
        ArrowRight: () => player.move(1),
        Home: () => player.show(0),
        End: () => player.show(steps - 1),
      };
      const move = moves[event.key];
      if (move === undefined) return;
      event.preventDefault();
      move();
    };
    addEventListener('keydown', onKey);
    return () => removeEventListener('keydown', onKey);
  });
}
