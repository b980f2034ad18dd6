import { denoisingShape } from '../../sim/workload/steady-step.js';
import { UsageError } from '../../src/errors.js';
import { rowsOf } from '../comparison/columns.js';
import { series } from '../comparison/compare.js';
import { defineStudy } from '../comparison/study.js';
import type { Workbench } from '../comparison/workbench.js';
import { bars } from '../figures/bars.js';
import { memoryWords } from '../figures/words.js';
import { DATA_SETS } from './cells/data-sets.js';

const MIB = 2 ** 20;
const [{ promptTokens: PROMPT }] = DATA_SETS;

/** Output lengths of Table 7, as they stand in claim T18. */
const LENGTHS = [128, 256, 512] as const;

/** How weights beyond the window come in; `all mapped`: nothing is swapped, everything is in the window at once. */
const MODES = ['all mapped', 'on-demand', 'paging', 'somr'] as const;

/** Which positions a step computes: the whole canvas, or a block behind cached ones. */
const CANVASES = ['whole', 'block'] as const;

/**
 * What is swept, one at a time: numbers of the window that no source gives. Fragmentation: a share of the window that is
 * in holes too small to use.
 */
const SETTINGS = [
  { setting: 'default', numbers: {}, lost: 0 },
  { setting: 'alignment 4 KiB', numbers: { 'window.alignment': '4 KiB' }, lost: 0 },
  { setting: 'alignment 64 KiB', numbers: { 'window.alignment': '64 KiB' }, lost: 0 },
  { setting: '16 mapper entries', numbers: { 'window.mapperEntries': '16' }, lost: 0 },
  { setting: '64 mapper entries', numbers: { 'window.mapperEntries': '64' }, lost: 0 },
  { setting: '5 % fragmentation', numbers: {}, lost: 0.05 },
  { setting: '15 % fragmentation', numbers: {}, lost: 0.15 },
] as const;

/** Steps of the search for the smallest window. */
const GRAIN_BYTES = 16 * MIB;

export const table7 = defineStudy({
  name: 'table7',
  title: 'The memory boundary: what fits the address window, by output length and mode',
  paper: null,
  runs: 'one denoising step at the end of an answer, whole canvas or a block of 32 behind cached positions; the smallest window in which it runs is searched',
  workload: null,
  stacks: ['llada.cpp'],
  measure: (bench) => {
    const window = bench.hardware.window.bytes;
    const cells = LENGTHS.flatMap((tokens) =>
      CANVASES.flatMap((canvas) =>
        MODES.flatMap((mode) => SETTINGS.map((setting) => ({ tokens, canvas, mode, ...setting }))),
      ),
    );
    const margins = cells.map(({ tokens, canvas, mode, numbers, lost }) => {
      bench.hooks.signal?.throwIfAborted();
      return window * (1 - lost) - smallestWindow(bench, mode, shapeOf(canvas, tokens), numbers, window);
    });
    return {
      tokens: cells.map(({ tokens }) => tokens),
      canvas: cells.map(({ canvas }) => canvas),
      mode: cells.map(({ mode }) => mode),
      setting: cells.map(({ setting }) => setting),
      window_mib: cells.map(({ lost }) => (window * (1 - lost)) / MIB),
      margin_mib: margins.map((bytes) => bytes / MIB),
    };
  },
  derive: ({ margin_mib }) => ({ outcome: margin_mib.map((mib) => (mib >= 0 ? 'fits' : 'fails')) }),
  formulas: { outcome: 'fits where margin_mib is not negative' },
  table: (ours) =>
    rowsOf({
      tokens: ours.tokens,
      canvas: ours.canvas,
      mode: ours.mode,
      setting: ours.setting,
      windowMiB: ours.window_mib,
      marginMiB: ours.margin_mib,
      fits: ours.margin_mib.map((mib) => mib >= 0),
      paper: ours.tokens.map(() => null),
    }),
  compare: (ours) =>
    series(
      ours.tokens.map(
        (tokens, i) => `${tokens} tokens, ${ours.canvas[i]}, ${ours.mode[i]}, ${ours.setting[i]}: margin`,
      ),
      (name) => name,
      { unit: 'MiB', ours: ours.margin_mib, kind: 'predicted' },
    ),
  notes: [
    `Lengths are output lengths; the prompt has ${PROMPT} tokens. The margin is the window less the smallest one in which the step runs, found in steps of 16 MiB.`,
    'Modes other than all mapped make their buffers smaller as the window shrinks: a runtime with fixed buffers of 1 GiB gives up earlier than on-demand does here.',
    "The paper's outcomes are not in this project.",
  ],
  figure: (ours) => {
    const shown = ours.tokens.flatMap((tokens, i) =>
      ours.setting[i] === 'default'
        ? [
            {
              name: `${tokens} tokens, ${ours.canvas[i] === 'whole' ? 'whole canvas' : 'a block'}, ${memoryWords(ours.mode[i])}`,
              at: i,
            },
          ]
        : [],
    );
    return bars([
      {
        title: 'Room left in the address window by output length, canvas and memory mode',
        axis: 'room left in the address window, MiB',
        names: shown.map(({ name }) => name),
        values: shown.map(({ at }) => ours.margin_mib[at]),
      },
    ]);
  },
});

function shapeOf(canvas: (typeof CANVASES)[number], tokens: number) {
  return canvas === 'whole' ? denoisingShape(PROMPT + tokens) : denoisingShape(32, PROMPT + tokens - 32);
}

type Numbers = Readonly<Record<string, string>>;

/** Bytes of the smallest window in which a step runs. */
function smallestWindow(
  bench: Workbench,
  mode: (typeof MODES)[number],
  shape: ReturnType<typeof denoisingShape>,
  numbers: Numbers,
  windowBytes: number,
): number {
  if (mode === 'all mapped') return mappedAtOnce(bench, shape, numbers);
  const fits = (bytes: number): boolean => {
    try {
      const machine = bench.machine('llada.cpp', mode, {
        hardware: { ...numbers, 'window.bytes': `${bytes} B` },
      });
      machine.timePass(shape);
      return true;
    } catch (error) {
      if (error instanceof UsageError) return false;
      throw error;
    }
  };
  let [low, high] = [0, Math.ceil((2 * windowBytes) / GRAIN_BYTES)];
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (fits(middle * GRAIN_BYTES)) high = middle;
    else low = middle;
  }
  return high * GRAIN_BYTES;
}

/** What is mapped when the window is no limit and everything stays. */
function mappedAtOnce(bench: Workbench, shape: ReturnType<typeof denoisingShape>, numbers: Numbers): number {
  const machine = bench.machine('llada.cpp', 'paging', {
    hardware: { ...numbers, 'window.bytes': `${2 ** 36} B`, 'window.mapperEntries': '100000' },
  });
  machine.timePass(shape);
  machine.timePass(shape);
  return machine.memoryMap()!.mapped.reduce((sum, { bytes }) => sum + bytes, 0);
}
