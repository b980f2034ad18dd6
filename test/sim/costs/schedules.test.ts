import { describe, it } from 'vitest';
import { chainEndsClosedForm, chainEndsMs, chainProgram } from '../../../sim/machine/chain.js';
import type { Kernel, TimedKernel } from '../../../sim/machine/kernel.js';
import { stretched, timeAlone } from '../../../sim/machine/npu-unit.js';
import { busyOf, closedFormMs, type Pipeline, serialMs, toProgram } from '../../../sim/machine/pipeline.js';
import { runProgram, type TaskSpan } from '../../../sim/machine/run-program.js';
import { SideWork, splitAtCopies } from '../../../sim/machine/side-work.js';
import { spansAlone, spansOfChain, stretchedSpans } from '../../../sim/machine/task-spans.js';
import { digest, GoldenTable } from '../../support/golden-table.js';
import { drawer } from './made-up.js';

const table = new GoldenTable('schedules');

/** Times that look drawn; about one in four stages does not exist. */
function pipelineOf(seed: number, changes: Partial<Pipeline> = {}): Pipeline {
  const draw = drawer(seed);
  const ms = (): number => (draw(0, 3) === 0 ? 0 : draw(100, 3000) / 1000);
  const cost = () => ({
    loadMs: draw(100, 3000) / 1000,
    decodeMs: ms(),
    multiplyMs: ms(),
    finishMs: ms(),
    storeMs: ms(),
    loadBytes: draw(1, 999),
    storeBytes: draw(1, 999),
  });
  const chunk = cost();
  const short = cost();
  const rest = draw(0, 1) === 0 ? null : short;
  return {
    path: draw(0, 3) === 0 ? 'l2' : 'dma',
    tiles: draw(1, 3),
    setup: { loadMs: ms(), convertMs: ms(), loadBytes: draw(1, 999) },
    chunk,
    fullChunks: draw(rest === null ? 1 : 0, 6),
    rest,
    ...changes,
  };
}

const PIPELINES: Readonly<Record<string, Pipeline>> = Object.fromEntries(
  Array.from({ length: 48 }, (_, seed) => {
    const flags = {
      serial: seed % 8 === 1,
      loadsWait: seed % 4 === 2,
      tilesApart: seed % 4 >= 2 && seed % 8 > 4,
    };
    const named = Object.entries(flags).flatMap(([name, on]) => (on ? [name] : []));
    return [[`pipeline ${seed}`, ...named].join(' '), pipelineOf(seed, flags)];
  }),
);

/** A schedule in one line: of each task when it starts on which unit, what it takes from whom, and what it moves. */
function shown(spans: readonly TaskSpan[]): string {
  const UNITS = 'MVDL';
  return spans
    .map(({ unit, kind, startMs, endMs, task, from, bytes }) => {
      const moved = bytes > 0 ? `,${bytes}B` : '';
      return `${UNITS[unit]}${kind.slice(0, 2)}${task}<${from}@${startMs.toFixed(3)}-${endMs.toFixed(3)}${moved}`;
    })
    .join(' ');
}

/** The first tasks of a schedule, and all of them as one word. */
function abridged(spans: readonly TaskSpan[]): string {
  return `${spans.length}: ${shown(spans.slice(0, 5))} ... ${digest(shown(spans))}`;
}

const kernel = (pipelines: readonly Pipeline[], repeats = 1, bytes = 1000): Kernel => ({
  pipelines,
  repeats,
  dmaBytes: bytes,
  l2Bytes: bytes / 2,
  matrixMacs: 7,
  tcmPeakBytes: 9,
});

const NO_LOAD = { loadMs: 0, decodeMs: 0.7, multiplyMs: 1.1, finishMs: 1.3, storeMs: 0.2 };
const UNLOADED: Pipeline = {
  ...pipelineOf(21),
  setup: { loadMs: 0, convertMs: 0 },
  chunk: NO_LOAD,
  rest: null,
  fullChunks: 2,
};

const KERNELS: readonly Kernel[] = [
  kernel([pipelineOf(3)]),
  kernel([pipelineOf(5), pipelineOf(6)], 3),
  kernel([pipelineOf(9, { tiles: 5, fullChunks: 2 })], 4),
  kernel([pipelineOf(12, { tiles: 2, fullChunks: 11 }), pipelineOf(13, { tiles: 3, fullChunks: 5 })], 5),
  kernel([pipelineOf(17, { tiles: 4, fullChunks: 9, path: 'dma' })]),
  kernel([
    pipelineOf(21, {
      chunk: { loadMs: 0, decodeMs: 0, multiplyMs: 0, finishMs: 1.3, storeMs: 0 },
      rest: null,
      fullChunks: 1,
    }),
    pipelineOf(22),
  ]),
  kernel([pipelineOf(25, { serial: true })], 2),
  // The closed form of four tiles is not the time of four.
  kernel([pipelineOf(0, { tiles: 4, fullChunks: 5 })]),
  kernel([pipelineOf(2, { tiles: 4, fullChunks: 8 })], 2),
  // What loads nothing leaves slots as they were; a short last chunk may load alone, or nothing.
  kernel([pipelineOf(22), UNLOADED, pipelineOf(9)]),
  kernel([
    pipelineOf(22),
    { ...pipelineOf(8), chunk: NO_LOAD, rest: pipelineOf(3).chunk, fullChunks: 2 },
    pipelineOf(9),
  ]),
  kernel([pipelineOf(22), { ...pipelineOf(8), rest: NO_LOAD, fullChunks: 1 }, pipelineOf(9)]),
];

const timed = (of: Kernel): TimedKernel => timeAlone(of, { npuDramBytesPerMs: 1e9 });

const HAND: Readonly<Record<string, Pipeline>> = {
  'nothing loaded': {
    ...pipelineOf(2),
    setup: { loadMs: 0, convertMs: 0 },
    chunk: NO_LOAD,
    rest: null,
    fullChunks: 3,
  },
  'a last chunk that loads alone': {
    ...pipelineOf(2),
    tiles: 1,
    setup: { loadMs: 0, convertMs: 0 },
    chunk: NO_LOAD,
    rest: { ...NO_LOAD, loadMs: 2.5 },
    fullChunks: 2,
  },
  'matrix-bound': {
    ...pipelineOf(2),
    tiles: 2,
    setup: { loadMs: 0.5, convertMs: 0.2 },
    chunk: { loadMs: 1, decodeMs: 0.3, multiplyMs: 5, finishMs: 0.4, storeMs: 0.35 },
    rest: null,
    fullChunks: 3,
  },
  'a long conversion before one chunk': {
    ...pipelineOf(2),
    tiles: 3,
    setup: { loadMs: 0.5, convertMs: 5 },
    chunk: { loadMs: 3, decodeMs: 0, multiplyMs: 0.1, finishMs: 0, storeMs: 2 },
    rest: null,
    fullChunks: 1,
  },
};

describe('how tasks follow each other', () => {
  it('in one operator', () => {
    const runs = Object.entries({ ...PIPELINES, ...HAND }).map(([name, pipeline]) => {
      const program = toProgram(pipeline);
      const { ms, busyMs, spans } = runProgram(program, true);
      const closed = closedFormMs(pipeline);
      const after = digest(program.after);
      const out = {
        ms,
        busyMs,
        busyOf: busyOf(pipeline),
        closed,
        serial: serialMs(pipeline),
        after,
        tasks: abridged(spans),
      };
      return [name, out];
    });
    table.holds('operators', Object.fromEntries(runs));
  });

  it('in chains of operators', () => {
    const chains = [
      [0],
      [0, 1],
      [2, 0, 1],
      [3, 4],
      [4, 3, 2],
      [5, 0],
      [1, 5, 6, 2],
      [6, 4, 0, 3, 5],
      [7],
      [8, 7],
      [9],
      [0, 10],
      [11, 9],
    ];
    const runs = chains.map((numbers) => {
      const kernels = numbers.map((at) => KERNELS[at] as Kernel);
      const ends = chainEndsMs(kernels);
      const own = kernels.map((of, at) => ({
        ...of,
        ms: (ends[at] ?? 0) - (ends[at - 1] ?? 0),
        busyMs: [0, 0, 0, 0] as const,
      }));
      const { marks, program } = chainProgram(kernels);
      return [
        numbers.join(' '),
        {
          ends,
          closed: chainEndsClosedForm(kernels),
          marks,
          length: program.length,
          spans: spansOfChain(own).map(abridged),
        },
      ];
    });
    table.holds('chains', Object.fromEntries(runs));
  });

  it('alone, bound by its stages or by DRAM', () => {
    const twice = pipelineOf(31);
    const runs = [...KERNELS, kernel([twice, twice, pipelineOf(32)], 2, 50_000)].map((of, at) => {
      const slow = { npuDramBytesPerMs: 900 };
      const { pipelines: _, ...event } = timeAlone(of, slow);
      return [
        `kernel ${at}`,
        {
          ...event,
          closed: timeAlone(of, slow, 'closed-form').ms,
          tasks: abridged(spansAlone(timed(of))),
        },
      ];
    });
    table.holds('alone', Object.fromEntries(runs));
  });
});

const copies = (...ends: readonly (readonly [number, number])[]) =>
  ends.map(([startMs, endMs]) => ({ startMs, endMs }));
const COPIES = {
  none: copies(),
  'before it': copies([0, 3]),
  'from its start': copies([5, 6.5]),
  'over its start': copies([2, 7]),
  within: copies([6, 7.25], [8, 8.5]),
  'over its end': copies([9, 400]),
  'all of it': copies([5, 400]),
  'behind it': copies([300, 400]),
};

describe('an operator beside copies', () => {
  const alone = timed(KERNELS[1] as Kernel);
  const slower: TimedKernel = {
    ...alone,
    ms: alone.ms * 1.375,
    busyMs: [alone.busyMs[0], alone.busyMs[1] * 1.25, alone.busyMs[2] * 1.5, 0],
  };

  it('goes slower for as long as there is one', () => {
    const runs = Object.entries(COPIES).map(([name, of]) => {
      const { ms, busyMs } = stretched(alone, slower, of, 5);
      const { ms: same } = stretched(alone, alone, of, 5);
      return [name, { ms, busyMs, same }];
    });
    table.holds('beside copies', Object.fromEntries(runs));
  });

  it('has its tasks later, and the last of a unit with its end', () => {
    const bound = timed(KERNELS[3] as Kernel);
    const { ms, busyMs } = {
      ms: bound.ms * 1.45,
      busyMs: [bound.busyMs[0], bound.busyMs[1], bound.busyMs[2] * 1.5, 0] as const,
    };
    const spans = stretchedSpans(spansAlone(bound), bound, ms, busyMs);
    const ends = [0, 1, 2].map((unit) =>
      spans.filter((span) => span.unit === unit).reduce((last, { endMs }) => Math.max(last, endMs), 0),
    );
    table.holds('tasks of a unit', { all: { ms, ends, spans: abridged(spans) } });
  });

  it('has its tasks later', () => {
    const runs = Object.entries(COPIES).map(([name, of]) => {
      const { ms, busyMs } = stretched(alone, slower, of, 5);
      return [name, abridged(stretchedSpans(spansAlone(alone), alone, ms, busyMs))];
    });
    table.holds('tasks beside copies', Object.fromEntries(runs));
  });

  it('is told apart from where there is none', () => {
    const spans = [
      { regime: 'npu', startMs: 1, endMs: 5 },
      { regime: 'cpu', startMs: 5, endMs: 6 },
      { regime: 'npu', startMs: 7, endMs: 12 },
    ] as const;
    const runs = Object.entries({ ...COPIES, meeting: copies([1, 2], [2, 5], [6, 6.5], [11, 12]) }).map(
      ([name, of]) => [
        name,
        splitAtCopies(spans, of).map(
          ({ regime, copying, startMs, endMs }) => `${regime}${copying ? '+copy' : ''} ${startMs}-${endMs}`,
        ),
      ],
    );
    table.holds('regimes', Object.fromEntries(runs));
  });
});

describe('side work', () => {
  it('takes what the main path leaves, one job after the other', () => {
    const shares = {
      npu: { threads: 4, bytesPerMs: 1000 },
      'npu+copy': { threads: 3, bytesPerMs: 400 },
      cpu: { threads: 1, bytesPerMs: 0 },
      'cpu+copy': { threads: 0, bytesPerMs: 100 },
    } as const;
    const side = new SideWork((regime, copying) => shares[`${regime}${copying ? '+copy' : ''}`]);
    const spans = [
      { regime: 'npu', copying: false, startMs: 0, endMs: 2 },
      { regime: 'cpu', copying: false, startMs: 2, endMs: 4 },
      { regime: 'npu', copying: true, startMs: 4, endMs: 9 },
      { regime: 'cpu', copying: true, startMs: 9, endMs: 10 },
    ] as const;
    const launch = (id: string, singleThreadMs: number, bytes: number) =>
      side.launch(id, { singleThreadMs, bytes });
    const steps: Record<string, unknown> = {};
    const advance = (name: string) => {
      const { spans: ran, ...progress } = side.advance(spans);
      const shownSpans = ran.map(
        ({ id, startMs, endMs }) => `${id} ${startMs.toFixed(6)}-${endMs.toFixed(6)}`,
      );
      steps[name] = { ...progress, spans: shownSpans, inFlight: side.inFlight };
    };
    advance('nothing to do');
    launch('a', 4, 500);
    launch('nothing', 0, 0);
    launch('b', 13, 0);
    launch('c', 1, 2500);
    launch('d', 20, 300);
    advance('four');
    launch('e', 1, 1);
    advance('what is left');
    advance('and on');
    launch('f', 100, 100_000);
    advance('too much');
    side.clear();
    advance('cleared');
    // Exactly as long as all that it gets: the last stretch is 5 ms of three threads.
    launch('g', 4 * 2 + 1 * 2 + 3 * 5, 0);
    advance('to the last');
    table.holds('side work', steps);
  });
});
