import { describe, it } from 'vitest';
import { energyOf } from '../../../sim/energy/energy.js';
import { type Account, addUp, lastStep } from '../../../sim/machine/account.js';
import { explainAccounts, explainStep, type TimeNode } from '../../../sim/machine/explain.js';
import type { Machine } from '../../../sim/machine/machine.js';
import { toPerfetto } from '../../../sim/machine/perfetto.js';
import { TRACKS } from '../../../sim/machine/timeline.js';
import { type MachineSettings, machine } from '../../../sim/open-machine.js';
import type { StepTiming } from '../../../src/decode/method/timer.js';
import type { Quant } from '../../../src/model/precision.js';
import type { Pass, StepPlan } from '../../../src/pass/pass.js';
import type { PassShape } from '../../../src/pass/shape.js';
import { digest, GoldenTable } from '../../support/golden-table.js';
import { madeUpChip, madeUpStack, orRefused, STACKS, type StackChanges } from './made-up.js';
import { MODELS } from './models.js';

const table = new GoldenTable('steps');

interface Machines {
  readonly model: keyof typeof MODELS;
  readonly quant: Quant;
  readonly stack: StackChanges;
  readonly memory: MachineSettings['memory'];
  readonly placement?: MachineSettings['placement'];
  /** Of the address window. */
  readonly bytes: number;
  readonly record: 'op' | 'chunk';
  /** Of staging copies, in GB/s. */
  readonly copyRate?: number;
}

const CASES: Readonly<Record<string, Machines>> = {
  'residents and slots': {
    model: 'plain',
    quant: 'q4_0',
    stack: { numbers: { cpuSustained: 40 } },
    memory: 'somr',
    bytes: 410_000,
    record: 'op',
    copyRate: 0.21,
  },
  'all resident': {
    model: 'plain',
    quant: 'q4_0',
    stack: { numbers: { cpuSustained: 40 } },
    memory: 'somr',
    bytes: 3_000_000,
    record: 'op',
    copyRate: 16,
  },
  'residents by phase': {
    model: 'with norms and biases',
    quant: 'q8_0',
    stack: { ...STACKS.reusing, grouping: 'batches', dispatch: 'queue' },
    memory: 'somr',
    placement: 'alternating',
    bytes: 500_000,
    record: 'op',
  },
  'buffers on demand': {
    model: 'plain',
    quant: 'q8_0',
    stack: { ...STACKS.hexagon, grouping: 'batches', dispatch: 'queue', placement: 'embedding-cpu-rest-npu' },
    memory: 'on-demand',
    // Says nothing where nothing is resident.
    placement: 'alternating',
    bytes: 700_000,
    record: 'op',
  },
  'paged, products alone': {
    model: 'routed',
    quant: 'q4_0',
    stack: { ...STACKS.direct, placement: 'products-npu-but-one-row', threadShares: 'by-speed' },
    memory: 'paging',
    bytes: 620_000,
    record: 'op',
  },
  'a compiled graph': {
    model: 'with norms and biases',
    quant: 'f32',
    stack: {
      ...STACKS.compiled,
      grouping: 'batches',
      placement: 'embedding-cpu-rest-npu',
      numbers: { batchOps: 100 },
    },
    memory: 'unlimited',
    bytes: 3_000_000,
    record: 'chunk',
  },
  'attention on the CPU, slots': {
    model: 'plain',
    quant: 'f16',
    stack: {
      placement: 'layers-npu-but-attention',
      grouping: 'batches',
      elementwise: 'queues',
      weightStream: 'bypass',
      numbers: { batchOps: 2, passHostMs: 0, opStartMs: 0, cpuSustained: 40 },
    },
    memory: 'somr',
    bytes: 800_000,
    record: 'chunk',
    copyRate: 16,
  },
  'products alone, and none of a single row': {
    model: 'plain',
    quant: 'q8_0',
    stack: { placement: 'products-npu-but-one-row', numbers: { splitMs: 0 } },
    memory: 'somr',
    bytes: 500_000,
    record: 'op',
  },
  'a CPU': {
    model: 'layers of their own',
    quant: 'q8_0',
    stack: { placement: 'all-cpu', numbers: { cpuSustained: 40 } },
    memory: 'unlimited',
    bytes: 3_000_000,
    record: 'op',
  },
  'a GPU': {
    model: 'short convolutions',
    quant: 'q4_0',
    stack: { placement: 'embedding-cpu-rest-gpu', extraOperators: { normGain: true, kvWrites: true } },
    memory: 'unlimited',
    bytes: 3_000_000,
    record: 'op',
  },
};

const row = (position: number) => ({ position, feed: 7 });

function pass(id: string, lane: Pass['lane'], rows: number, reads: number, logits: number): Pass {
  return {
    id,
    lane,
    kind: lane === 'main' ? 'denoise' : 'refresh',
    version: 1,
    rows: Array.from({ length: rows }, (_, at) => row(reads + at)),
    reads: Array.from({ length: reads }, (_, position) => ({ position, version: 0 })),
    visibility: rows % 2 === 0 ? 'all' : 'causal',
    logits: Array.from({ length: logits }, (_, at) => at),
  };
}

/** Rows, cached positions and logits of the main pass, side passes of 70 rows, whether the step waits for them. */
const STEPS: readonly (readonly [number, number, number, number, boolean])[] = [
  [33, 0, 0, 0, false],
  [32, 33, 32, 2, false],
  [32, 33, 9, 0, false],
  [1, 97, 1, 3, true],
  [34, 66, 34, 1, false],
];
/** Passes as compiled graphs and drafts have them. */
const SHAPES: readonly PassShape[] = [
  { rows: 40, kvSets: [{ name: 'prefix', length: 100 }], logitsRows: 40, sampledRows: 3, masked: false },
  { rows: 5, kvSets: [], logitsRows: 5, masked: true, adapter: true },
];

function plan(step: number): StepPlan {
  const [rows, reads, logits, sides, joins] = STEPS[step] as (typeof STEPS)[number];
  const beside = Array.from({ length: sides }, (_, at) => pass(`${step}.${at + 1}`, 'side', 70, reads, 3));
  return { step, block: 0, passes: [...beside, pass(`${step}.0`, 'main', rows, reads, logits)], joins };
}

function open({ model, stack, bytes, copyRate, ...rest }: Machines): Machine {
  const shapes = MODELS[model];
  if (shapes === undefined) throw new Error(`no model ${model}`);
  const chip = madeUpChip({}, { bytes });
  const profile = copyRate === undefined ? chip : { ...chip, cpu: { ...chip.cpu, sharedCopyRate: copyRate } };
  return machine({ ...rest, shapes, profile, stack: madeUpStack(stack) });
}

const treeText = ({ name, ms, bound, children }: TimeNode): string =>
  `${name} ${ms.toPrecision(8)} ${bound}${children.length > 0 ? ` (${children.map(treeText).join(', ')})` : ''}`;

/** All that a machine says of its last step. */
function saidOf(of: Machine, timing: StepTiming, profile: Machine['options']['profile']): unknown {
  const { parts, ...breakdown } = of.stepBreakdown();
  const explained = explainStep(of);
  return {
    timing,
    breakdown,
    parts: new Map(parts.map(({ name, ms }) => [name, ms])),
    order: digest(parts.map((part) => part.name)),
    held: digest(of.heldByPart()),
    explained: digest({ ...explained, tree: treeText(explained.tree) }),
    tree: explained.tree.children.map(({ name, ms, bound }) => `${name} ${ms.toPrecision(8)} ${bound}`),
    efficiency: explained.efficiency,
    energy: energyOf([timing], profile),
    map: mapText(of),
  };
}

function mapText(of: Machine): unknown {
  const map = of.memoryMap();
  if (map === null) return null;
  return {
    ...map,
    mapped: map.mapped.map(({ id, address, bytes }) => `${id} ${address} ${bytes}`),
    staged: map.staged.map(({ bytes, tensors }) => `${bytes} ${tensors.length} ${tensors[0]}`),
    absent: map.absent.map(({ id, bytes }) => `${id} ${bytes}`),
  };
}

/** Two of its steps as one request, and one of them three times. */
function requestOf([first, second]: readonly Account[]): unknown {
  const named = [first, second].map((account, at) => ({ name: `part ${at}`, account: account as Account }));
  const { tree, ...explained } = explainAccounts(named);
  const thrice = addUp([
    { account: first as Account, times: 1 },
    { account: second as Account, times: 3 },
  ]);
  return {
    ms: explained.ms,
    bound: explained.bound,
    explained: digest(explained),
    tree: digest(treeText(tree)),
    thrice: digest(thrice),
    of: thrice.ms,
  };
}

/** Per track: how many spans, how long they were busy, and all of them as one word. */
function timelineText(of: Machine): unknown {
  const timeline = of.timeline();
  const tracks = TRACKS.flatMap((track) => {
    const spans = timeline.spans.filter((span) => span.track === track);
    const busyMs = spans.reduce((sum, span) => sum + span.busyMs, 0);
    return spans.length === 0 ? [] : [[track, { spans: spans.length, busyMs, all: digest(spans) }] as const];
  });
  const { traceEvents, otherData } = toPerfetto(timeline);
  return {
    tracks: new Map(tracks),
    steps: timeline.steps.map(({ step, startMs, endMs }) => [step, startMs, endMs]),
    counters: `${timeline.counters.length} ${digest(timeline.counters)}`,
    perfetto: `${traceEvents.length} ${digest(traceEvents)}`,
    otherData,
  };
}

describe.each(Object.entries(CASES))('the steps of a decode on a made-up chip: %s', (name, settings) => {
  it('cost what they did', () => {
    const of = open(settings);
    const { profile } = of.options;
    const said: Record<string, unknown> = {};
    const accounts: Account[] = [];
    STEPS.forEach((_, step) => {
      said[`step ${step}`] = saidOf(of, of.time(plan(step)), profile);
      accounts.push(lastStep(of));
    });
    said.request = requestOf(accounts);
    SHAPES.forEach((shape, at) => {
      said[`pass ${at}`] = saidOf(of, of.timePass(shape), profile);
    });
    said.timeline = timelineText(of);
    of.reset();
    said['after a reset'] = {
      map: mapText(of),
      timeline: timelineText(of),
      ...of.timePass(SHAPES[1] as PassShape),
    };
    table.holds(name, said);
  });
});

describe('a machine', () => {
  it('is named after what it is made of', () => {
    const names = Object.entries(CASES).map(([name, settings]) => [name, open(settings).name]);
    table.holds('names', Object.fromEntries(names));
  });

  it('refuses a window that is too small, and says what is missing', () => {
    const limited = Object.entries(CASES).filter(([, { memory }]) => memory !== 'unlimited');
    const refused = limited.flatMap(([name, settings]) =>
      [20_000, 200_000, 400_000].map((bytes) => [
        `${name} in ${bytes}`,
        orRefused(() => open({ ...settings, bytes }).timePass(SHAPES[0] as PassShape).endMs),
      ]),
    );
    table.holds('small windows', Object.fromEntries(refused));
  });
});
