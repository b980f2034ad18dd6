import { denoisingShape } from '../../sim/workload/steady-step.js';
import { UsageError } from '../../src/errors.js';
import { rowsOf } from '../comparison/columns.js';
import { series } from '../comparison/compare.js';
import { defineStudy } from '../comparison/study.js';
import type { Workbench } from '../comparison/workbench.js';
import { bars } from '../figures/bars.js';
import { memoryWords } from '../figures/words.js';
import { DATA_SETS } from './cells/data-sets.js';
import { socNumber } from './cells/soc.js';

const MIB = 2 ** 20;
const [{ name: DATA_SET, promptTokens: PROMPT, range: PROMPTS }] = DATA_SETS;

/** Output lengths of Table 7, as they stand in claim T18. */
const LENGTHS = [128, 256, 512] as const;

/** How weights beyond the window come in; `all mapped`: nothing is swapped, everything is in the window at once. */
const MODES = ['all mapped', 'on-demand', 'paging', 'somr'] as const;

/** Which positions a step computes: the whole canvas, or a block behind cached ones. */
const CANVASES = ['whole', 'block'] as const;

interface Setting {
  readonly setting: string;
  readonly numbers: Readonly<Record<string, string>>;
  /** Share of the window that is in holes too small to use. */
  readonly lost: number;
  readonly prompt: number;
  readonly windowBytes: number;
}

/** What no source gives, one at a time and all at once: numbers of the window, holes in it, its size, the prompt. */
function settingsOf(bench: Workbench): readonly Setting[] {
  const windowBytes = bench.hardware.window.bytes;
  const [small, large] = bench.hardware.provenance['window.bytes'].range ?? [windowBytes, windowBytes];
  const usual = { numbers: {}, lost: 0, prompt: PROMPT, windowBytes };
  const entries = (count: number) => ({ 'window.mapperEntries': String(count) });
  const alignment = (size: string) => ({ 'window.alignment': size });
  return [
    { setting: 'default', ...usual },
    { setting: 'alignment 4 KiB', ...usual, numbers: alignment('4 KiB') },
    { setting: 'alignment 64 KiB', ...usual, numbers: alignment('64 KiB') },
    { setting: '16 mapper entries', ...usual, numbers: entries(16) },
    { setting: '64 mapper entries', ...usual, numbers: entries(64) },
    { setting: '5 % fragmentation', ...usual, lost: 0.05 },
    { setting: '15 % fragmentation', ...usual, lost: 0.15 },
    { setting: 'smallest window', ...usual, windowBytes: small },
    { setting: 'largest window', ...usual, windowBytes: large },
    { setting: `prompt of ${PROMPTS[0]}`, ...usual, prompt: PROMPTS[0] },
    { setting: `prompt of ${PROMPTS[1]}`, ...usual, prompt: PROMPTS[1] },
    {
      setting: 'all against it',
      numbers: { ...alignment('1 MiB'), ...entries(16) },
      lost: 0.15,
      prompt: PROMPTS[1],
      windowBytes: small,
    },
    {
      setting: 'all for it',
      numbers: { ...alignment('4 KiB'), ...entries(1528) },
      lost: 0,
      prompt: PROMPTS[0],
      windowBytes: large,
    },
  ];
}

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
    const settings = settingsOf(bench);
    const cells = LENGTHS.flatMap((tokens) =>
      CANVASES.flatMap((canvas) => MODES.map((mode) => ({ tokens, canvas, mode }))),
    );
    const margins = cells.map(({ tokens, canvas, mode }) => {
      // Holes and the size of the window change nothing of what is needed.
      const needed = new Map<string, number>();
      return settings.map(({ numbers, lost, prompt, windowBytes }) => {
        bench.hooks.signal?.throwIfAborted();
        const key = JSON.stringify([numbers, prompt]);
        const least =
          needed.get(key) ?? smallestWindow(bench, mode, shapeOf(canvas, prompt, tokens), numbers);
        needed.set(key, least);
        return (windowBytes * (1 - lost) - least) / MIB;
      });
    });
    return {
      soc: cells.map(() => socNumber(bench.hardware)),
      dataset: cells.map(() => DATA_SET),
      tokens: cells.map(({ tokens }) => tokens),
      mode: cells.map(({ mode }) => mode),
      canvas: cells.map(({ canvas }) => canvas),
      window_mib: bench.hardware.window.bytes / MIB,
      margin_mib: margins.map(([usual]) => usual),
      low_mib: margins.map((all) => Math.min(...all)),
      high_mib: margins.map((all) => Math.max(...all)),
      setting_cell: cells.flatMap(({ tokens, canvas, mode }) =>
        settings.map(() => `${tokens} tokens, ${canvas}, ${mode}`),
      ),
      setting: cells.flatMap(() => settings.map(({ setting }) => setting)),
      setting_margin_mib: margins.flat(),
    };
  },
  derive: ({ low_mib, margin_mib, high_mib }) => ({
    outcome: margin_mib.map((mib) => (mib >= 0 ? 'fits' : 'fails')),
    surely: low_mib.map((low, i) => (low >= 0 ? 'fits' : high_mib[i] < 0 ? 'fails' : 'open')),
  }),
  formulas: {
    outcome: 'fits where margin_mib is not negative',
    surely: 'the outcome under every setting; open where settings differ',
  },
  table: (ours) =>
    rowsOf({
      soc: ours.soc,
      dataset: ours.dataset,
      tokens: ours.tokens,
      config: ours.mode,
      canvas: ours.canvas,
      marginMiB: ours.margin_mib,
      low: ours.low_mib,
      high: ours.high_mib,
      fits: ours.margin_mib.map((mib) => mib >= 0),
      surely: ours.surely,
      paper: ours.tokens.map(() => null),
    }),
  compare: (ours) =>
    series(
      ours.tokens.map((tokens, i) => `${tokens} tokens, ${ours.canvas[i]}, ${ours.mode[i]}: margin`),
      (name) => name,
      { unit: 'MiB', ours: ours.margin_mib, kind: 'predicted' },
    ),
  notes: [
    `Lengths are output lengths; the prompt has ${PROMPT} tokens. The margin is the window less the smallest one in which the step runs, found in steps of 16 MiB.`,
    `Low and high are the ends over what no source gives, one at a time and all at once: alignment, mapper entries, fragmentation, the size of the window, a prompt of ${PROMPTS.join(' to ')} tokens. Every setting is in result.json.`,
    'Modes other than all mapped make their buffers smaller as the window shrinks: a runtime with fixed buffers of 1 GiB gives up earlier than on-demand does here.',
    "The paper's outcomes are not in this project.",
  ],
  figure: (ours) =>
    bars([
      {
        title: 'Room left in the address window by output length, canvas and memory mode',
        axis: 'room left in the address window, MiB',
        names: ours.tokens.map(
          (tokens, i) =>
            `${tokens} tokens, ${ours.canvas[i] === 'whole' ? 'whole canvas' : 'a block'}, ${memoryWords(ours.mode[i])}`,
        ),
        values: ours.margin_mib,
        low: ours.low_mib,
        high: ours.high_mib,
      },
    ]),
});

function shapeOf(canvas: (typeof CANVASES)[number], prompt: number, tokens: number) {
  return canvas === 'whole' ? denoisingShape(prompt + tokens) : denoisingShape(32, prompt + tokens - 32);
}

/** Bytes of the smallest window in which a step runs. */
function smallestWindow(
  bench: Workbench,
  mode: (typeof MODES)[number],
  shape: ReturnType<typeof denoisingShape>,
  numbers: Setting['numbers'],
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
  let [low, high] = [0, Math.ceil((2 * bench.hardware.window.bytes) / GRAIN_BYTES)];
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (fits(middle * GRAIN_BYTES)) high = middle;
    else low = middle;
  }
  return high * GRAIN_BYTES;
}

/** What is mapped when the window is no limit and everything stays. */
function mappedAtOnce(
  bench: Workbench,
  shape: ReturnType<typeof denoisingShape>,
  numbers: Setting['numbers'],
): number {
  const machine = bench.machine('llada.cpp', 'paging', {
    hardware: { ...numbers, 'window.bytes': `${2 ** 36} B`, 'window.mapperEntries': '100000' },
  });
  machine.timePass(shape);
  machine.timePass(shape);
  return machine.memoryMap()!.mapped.reduce((sum, { bytes }) => sum + bytes, 0);
}
