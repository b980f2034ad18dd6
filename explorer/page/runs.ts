import { useEffect, useRef, useState } from 'preact/hooks';
import type { Setting } from '../setting/setting.js';
import type { Described, OutcomeView, StaircaseView, StepView } from '../worker/view.js';
import { Cancelled, type Client, type Decode } from './client.js';

/** A setting with what came of it so far. */
export interface Run {
  /** Same as long as the setting is edited; another for another place in the list. */
  readonly key: number;
  /** What was asked for, complete or not. */
  readonly asked: unknown;
  /** Null until the worker looked at it, or when it is refused. */
  readonly described: Described | null;
  readonly steps: readonly StepView[];
  readonly outcome: OutcomeView | null;
  readonly staircase: StaircaseView | null;
  /** Why the setting is refused, or the decode ended. */
  readonly fault: string | null;
}

export interface Runs {
  readonly list: readonly Run[];
  /** Replaces all settings, e.g. by those of a link. */
  replace(asked: readonly unknown[]): void;
  /** Changes one setting; it is decoded anew. */
  change(index: number, setting: Setting): void;
  /** Adds a copy of one. */
  copy(index: number): void;
  remove(index: number): void;
}

let nextKey = 1;
const fresh = (asked: unknown, key = nextKey++): Run => ({
  key,
  asked,
  described: null,
  steps: [],
  outcome: null,
  staircase: null,
  fault: null,
});

/** The settings that are compared, each decoded as soon as it changes. */
export function useRuns(client: Client, first: readonly unknown[]): Runs {
  const [list, setList] = useState<readonly Run[]>(() => first.map((asked) => fresh(asked)));
  /** Under way, by key, with what was asked: a change of the setting ends it. */
  const running = useRef(new Map<number, { asked: unknown; cancel: () => void }>());

  useEffect(() => {
    const { current } = running;
    for (const [key, { asked, cancel }] of current) {
      if (list.some((run) => run.key === key && run.asked === asked)) continue;
      cancel();
      current.delete(key);
    }
    for (const { key, asked } of list) {
      if (current.has(key)) continue;
      const update = (change: Partial<Run>) =>
        setList((now) =>
          now.map((run) => (run.key === key && run.asked === asked ? { ...run, ...change } : run)),
        );
      const cancel = start(client, asked, update);
      current.set(key, { asked, cancel });
    }
  }, [client, list]);

  return {
    list,
    replace: (asked) => setList(asked.map((each) => fresh(each))),
    change: (index, setting) =>
      setList((now) =>
        now.map((run, at) => (at === index ? { ...fresh(setting, run.key), described: run.described } : run)),
      ),
    copy: (index) => setList((now) => [...now, fresh(now[index].described?.setting ?? now[index].asked)]),
    remove: (index) => setList((now) => now.filter((_, at) => at !== index)),
  };
}

/** Describes a setting, decodes it, and times the staircase. @returns what ends it */
function start(client: Client, asked: unknown, update: (change: Partial<Run>) => void): () => void {
  let ended = false;
  let decode: Decode | null = null;
  const work = async () => {
    const described = await client.describe(asked);
    if (ended) return;
    update({ described, fault: null });
    // Steps come faster than a screen is drawn: those of a moment are shown together.
    let steps: StepView[] = [];
    let drawn = false;
    const draw = () => {
      drawn = false;
      if (!ended) update({ steps });
    };
    decode = client.decode(described.setting, (step) => {
      steps = [...steps, step];
      if (!drawn) setTimeout(draw, 60);
      drawn = true;
    });
    const outcome = await decode.outcome;
    if (ended) return;
    update({ steps, outcome });
    const staircase = await client.staircase(described.setting);
    if (!ended) update({ staircase });
  };
  work().catch((error: unknown) => {
    if (ended || error instanceof Cancelled) return;
    update({ fault: error instanceof Error ? error.message : String(error) });
  });
  return () => {
    ended = true;
    decode?.cancel();
  };
}
