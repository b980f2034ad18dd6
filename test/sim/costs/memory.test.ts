import { describe, it } from 'vitest';
import {
  checkWindow,
  kvBytesPerToken,
  mayStage,
  memoryContext,
  weightsOnNpu,
} from '../../../sim/machine/memory-context.js';
import { NpuUnits } from '../../../sim/machine/npu-unit.js';
import { ratesOf } from '../../../sim/machine/rates.js';
import { AddressWindow } from '../../../sim/memory/address-window.js';
import { type LimitedMode, memoryFactory } from '../../../sim/memory/create-memory.js';
import { doesNotFit } from '../../../sim/memory/does-not-fit.js';
import { classify } from '../../../sim/memory/lifetimes.js';
import { placeAlternating, placeGlobal } from '../../../sim/memory/placement.js';
import { memoryPlan } from '../../../sim/memory/plan.js';
import { copyMs, type MemoryContext, mapMs, regionsFor } from '../../../sim/memory/regions.js';
import type { PlacedPass } from '../../../sim/memory/runtime.js';
import { layoutScratch } from '../../../sim/memory/scratch-layout.js';
import type { PlacementReading } from '../../../sim/memory/somr-plan.js';
import { StagingPipeline } from '../../../sim/memory/staging.js';
import { batchesOf, globalBatches, stagingRoom } from '../../../sim/memory/staging-plan.js';
import { buffersOf, packBytes, unitsOf } from '../../../sim/memory/units.js';
import { machine } from '../../../sim/open-machine.js';
import { groupsOf } from '../../../sim/stacks/dispatch.js';
import { graphFor } from '../../../src/model/graph-cache.js';
import { precisionFor } from '../../../src/model/precision.js';
import { digest, GoldenTable } from '../../support/golden-table.js';
import { drawer, madeUpChip, madeUpStack, orRefused, STACKS } from './made-up.js';
import { MODELS } from './models.js';

const table = new GoldenTable('memory');

/** Weights in order of use: large ones, gains, and pairs that one operator reads. */
function weightsOf(seed: number, count: number): MemoryContext['weights'] {
  const draw = drawer(seed);
  let first = -1;
  return Array.from({ length: count }, (_, at) => {
    const small = draw(0, 3) === 0;
    if (at === 0 || draw(0, 4) > 0) first++;
    const bytes = small ? draw(1, 400) : draw(5000, 60_000);
    return { tensor: `w${at}`, bytes, first, last: first };
  });
}

const WEIGHTS = weightsOf(5, 26);
const OPS = Array.from({ length: (WEIGHTS.at(-1)?.first ?? 0) + 1 }, (_, op) => ({
  weights: WEIGHTS.filter(({ first }) => first === op).map(({ tensor }) => tensor),
}));

function contextOf(bytes: number, changes: Partial<MemoryContext> = {}): MemoryContext {
  return {
    window: { bytes, alignment: 4096, mapperEntries: 9, maxMap: 300_000 },
    costs: {
      mapFixedMs: 0.13,
      mapMsPerByte: 0.000_003,
      maintenanceMsPerByte: 0.000_007,
      copyBytesPerMs: 21_000,
    },
    maxBufferBytes: 150_000,
    slotBytes: 50_000,
    kvGrowthTokens: 48,
    kvBytesPerToken: 700,
    passRows: 40,
    weights: WEIGHTS,
    compute: () => OPS.map((op, at) => ({ op: { ...op, id: `op${at}` } as never, ms: 0.3 + (at % 5) * 0.7 })),
    ...changes,
  };
}

/** Rows and positions; the last passes leave out operators at the end, and take the same again. */
const PASSES: readonly (readonly [number, number, number])[] = [
  [8, 40, OPS.length],
  [8, 48, OPS.length],
  [9, 49, OPS.length],
  [60, 120, OPS.length],
  [1, 121, OPS.length - 4],
  [1, 122, OPS.length],
];

/** Plays passes against a runtime: what each wait was, where weights lay, what slots did. */
function played(mode: LimitedMode, context: MemoryContext, placement?: PlacementReading): unknown {
  const memory = memoryFactory(mode, context, placement)();
  const fresh = { map: memory.map(), of: memory.addressOf('w0'), windowBytes: memory.windowBytes };
  let nowMs = 0.5;
  const passes = PASSES.map(([rows, positions, count]) => {
    const ops = OPS.slice(0, count);
    const pass: PlacedPass = { rows, positions, ops, scratchBytes: () => rows * 1500 };
    const begin = memory.beginPass(pass, nowMs);
    nowMs = begin.readyMs;
    const waits = { mapMs: 0, mapOps: 0, mappedBytes: 0, stallMs: 0 };
    const places: unknown[] = [];
    const copies: unknown[] = [];
    ops.forEach(({ weights }, at) => {
      const ready = memory.before(at, nowMs);
      waits.mapMs += ready.mapMs;
      waits.mapOps += ready.mapOps;
      waits.mappedBytes += ready.mappedBytes;
      waits.stallMs += ready.stallMs;
      places.push(ready.readyMs, ...weights.map((id) => memory.addressOf(id)), memory.windowBytes);
      nowMs = ready.readyMs;
      copies.push(memory.copies(nowMs));
      nowMs += 0.4 + (at % 3) * 0.9;
      memory.after(at, nowMs);
      places.push(weights.map((id) => memory.addressOf(id)));
    });
    const uses = memory.endPass(nowMs);
    return {
      begin,
      ...waits,
      endMs: nowMs,
      places: digest(places),
      copies: digest(copies),
      uses: `${uses.length} ${digest(uses)}`,
      addresses: digest(WEIGHTS.map(({ tensor }) => memory.addressOf(tensor))),
      map: memory.map(),
    };
  });
  memory.reset();
  return {
    mode: memory.mode,
    fresh: digest(fresh),
    passes: passes.map(abridged),
    reset: digest(memory.map()),
    again: digest(memory.beginPass({ rows: 8, positions: 40, ops: OPS, scratchBytes: () => 12_000 }, 3)),
    elsewhere: memory.addressOf('nothing'),
  };
}

/** A pass with its map in words. */
function abridged({
  map,
  ...pass
}: {
  map: ReturnType<ReturnType<ReturnType<typeof memoryFactory>>['map']>;
}): unknown {
  return {
    ...pass,
    mapped: map?.mapped.map(({ id, address, bytes }) => `${id}@${address}+${bytes}`).join(' '),
    staged: map?.staged.map(({ bytes, tensors }) => `${bytes}:${tensors.join('+')}`).join(' '),
    absent: map?.absent.map(({ id, bytes }) => `${id}:${bytes}`).join(' '),
    free: map?.largestFreeBytes,
    fragmentation: map?.fragmentation,
  };
}

const TOTAL = WEIGHTS.reduce((sum, { bytes }) => sum + bytes, 0);
const MODES: readonly { readonly mode: LimitedMode; readonly placement?: PlacementReading }[] = [
  { mode: 'on-demand' },
  { mode: 'paging' },
  { mode: 'somr', placement: 'global' },
  { mode: 'somr', placement: 'alternating' },
];

describe.each(MODES)('the window in mode $mode $placement', ({ mode, placement }) => {
  it.each([0.1, 0.2, 0.35, 0.5, 0.6, 0.75, 0.9, 1, 3])('with room for %d of the weights', (share) => {
    const bytes = Math.ceil((290_000 + share * TOTAL) / 4096) * 4096;
    table.holds(`${mode} ${placement ?? ''} ${share}`, {
      window: orRefused(() => played(mode, contextOf(bytes), placement)),
    });
  });

  it('with few entries of the mapper, small mappings, one large weight, or none', () => {
    const window = { bytes: 900_000, alignment: 4096, mapperEntries: 7, maxMap: 200_000 };
    const large = { tensor: 'large', bytes: 180_000, first: 1, last: 1 };
    const around = (...middle: MemoryContext['weights']) => [
      ...WEIGHTS.slice(0, 2),
      ...middle,
      ...WEIGHTS.slice(6, 8),
    ];
    const made = (bytes: number, weights: MemoryContext['weights']) =>
      orRefused(() => memoryFactory(mode, contextOf(bytes, { weights }), placement)().mode);
    table.holds(`${mode} ${placement ?? ''} odd`, {
      'few entries': orRefused(() => played(mode, contextOf(900_000, { window }), placement)),
      'small mappings': orRefused(() =>
        played(
          mode,
          contextOf(900_000, { window: { ...window, mapperEntries: 40, maxMap: 70_000 } }),
          placement,
        ),
      ),
      'many entries': orRefused(() =>
        played(mode, contextOf(1_200_000, { window: { ...window, mapperEntries: 60 } }), placement),
      ),
      'no cache': orRefused(() => played(mode, contextOf(900_000, { kvBytesPerToken: 0 }), placement)),
      'larger than the window': made(150_000, around({ ...large, first: 3, last: 3 })),
      'two of them': made(
        150_000,
        around({ ...large, first: 3, last: 3 }, { ...large, tensor: 'second', first: 4, last: 4 }),
      ),
      'as large': made(180_096, around({ ...large, first: 30, last: 30 })),
      'a byte less': made(180_095, around({ ...large, first: 30, last: 30 })),
      none: orRefused(() => played(mode, contextOf(900_000, { weights: [] }), placement)),
    });
  });
});

describe('parts of memory', () => {
  it('window: first fit, gaps, entries', () => {
    const window = new AddressWindow({ bytes: 100, alignmentBytes: 10, mapperEntries: 5, maxMapBytes: 60 });
    const script = [
      'a 25',
      'b 10',
      'c 31',
      'd 20',
      '-b',
      'e 11',
      'e 10',
      '-a',
      'f 1',
      'g 20',
      'h 1',
      '-c',
      'i 40',
      'j 60',
      'k 61',
      'a 101',
      '-zz',
      'f 3',
      '-d',
      '-e',
      '-f',
      '-g',
    ];
    const lines = script.map((line, at) => {
      const [id = '', bytes] = line.replace('-', '').split(' ');
      const fits = bytes === undefined ? null : window.fits(Number(bytes));
      const result = orRefused(() =>
        bytes === undefined ? window.unmap(id) : window.map(id, Number(bytes)),
      );
      const { mappedBytes, entries, largestFreeBytes, fragmentation } = window;
      const list = window
        .list()
        .map((mapping) => `${mapping.id}@${mapping.address}+${mapping.bytes}`)
        .join(' ');
      return [
        `${at} ${line}`,
        {
          fits,
          result: result ?? 'no',
          mappedBytes,
          entries,
          largestFreeBytes,
          fragmentation,
          list,
          of: window.addressOf(id),
        },
      ];
    });
    table.holds('window', Object.fromEntries(lines));
  });

  it('window: as many mappings as the mapper has entries', () => {
    const window = new AddressWindow({ bytes: 100, alignmentBytes: 10, mapperEntries: 2, maxMapBytes: 60 });
    const fits = ['a', 'b', 'c'].map((id) => [window.fits(10), window.map(id, 10)]);
    table.holds('entries', { fits });
  });

  it('units and buffers', () => {
    const text = (units: ReturnType<typeof unitsOf>) =>
      units.map(
        ({ id, bytes, offsets }) =>
          `${id} ${bytes}: ${[...offsets].map(([name, at]) => `${name}@${at}`).join(' ')}`,
      );
    const cases = [1, 2, 3].map((seed) => {
      const units = unitsOf(weightsOf(seed, 17), 4096);
      return [
        `seed ${seed}`,
        {
          units: text(units),
          buffers: text(buffersOf(units, 100_000)),
          tight: text(buffersOf(units, 20_000)),
        },
      ];
    });
    const exact = packBytes([128, 256, 128, 1, 128, 512], 512);
    // A gain joins its neighbour below a sixty-fourth of it, and anything joins less than a page.
    const tiny = (bytes: number, open: number) =>
      text(
        unitsOf(
          [
            { tensor: 'a', bytes: open, first: 0, last: 0 },
            { tensor: 'b', bytes, first: 1, last: 1 },
          ],
          4096,
        ),
      ).length;
    const joins = [
      tiny(127, 8192),
      tiny(128, 8192),
      tiny(129, 8192),
      tiny(4000, 4000),
      tiny(4000, 4096),
      tiny(4000, 4097),
    ];
    table.holds('units', { ...Object.fromEntries(cases), exact, joins });
  });

  it('placement', () => {
    const global: Record<string, unknown> = {};
    const alternating: Record<string, unknown> = {};
    for (const seed of [1, 2, 3, 4]) {
      const draw = drawer(seed);
      const bytes = Array.from({ length: 18 }, () => (draw(0, 8) === 0 ? 0 : draw(1, 100)));
      const total = bytes.reduce((sum, size) => sum + size, 0);
      const items = bytes.map((size, at) => ({
        id: `${at}`,
        bytes: size,
        computeMs: draw(0, 5),
        transferMs: draw(0, 5),
        independent: draw(0, 2) === 0,
      }));
      for (const share of [0, 0.2, 0.5, 0.8, 0.97, 1]) {
        const budget = Math.floor(share * total);
        global[`${seed} ${share}`] = placeGlobal(bytes, budget).join(' ');
        alternating[`${seed} ${share}`] = orRefused(() =>
          placeAlternating(items, budget)
            .map(({ resident, temporary }) => `${resident.join('+')}/${temporary.join('+')}`)
            .join(' '),
        );
      }
    }
    table.holds('global', global);
    table.holds('alternating', alternating);
  });

  it('room for staging, and batches', () => {
    const units = [4096, 8192, 12_288, 100, 5000];
    const limits = { alignment: 4096, bufferLimit: 16_384, slotBytes: 10_000 };
    const rooms = [33_000, 36_863, 36_864, 36_865, 30_000, 90_000].map((free) => [
      `${free} free`,
      {
        room: stagingRoom(units, free, limits),
        wide: stagingRoom(units, free, { ...limits, bufferLimit: 5000, slotBytes: 1000 }),
      },
    ]);
    table.holds('room', Object.fromEntries(rooms));
    table.holds('batches', {
      each: batchesOf([0, 1, 2, 4], units, 1),
      two: batchesOf([0, 1, 2, 4], units, 12_288),
      'one byte less': batchesOf([0, 1, 2, 4], units, 12_287),
      all: batchesOf([0, 1, 2, 3, 4], units, 100_000),
      global: globalBatches(units, { slotBytes: 12_288, budgetBytes: 15_000 }),
    });
  });

  it('slots in turn', () => {
    const costs = { mapFixedMs: 0, mapMsPerByte: 0, maintenanceMsPerByte: 0.01, copyBytesPerMs: 50 };
    const batches = [100, 40, 70].map((bytes, at) => ({ units: [at], bytes }));
    const pipeline = new StagingPipeline(batches, costs);
    const lines: Record<string, unknown> = {};
    let nowMs = 1;
    [0, 1, 2, 0, 1, 2, 0].forEach((batch, at) => {
      const pending = pipeline.pending(nowMs).map(({ startMs, endMs }) => `${startMs}-${endMs}`);
      const slots = [0, 1, 2].map((other) => pipeline.slotOf(other, nowMs));
      const { current } = pipeline;
      const wrong = orRefused(() => pipeline.read((batch + 1) % 3, nowMs));
      if (at !== 3) nowMs = pipeline.read(batch, nowMs);
      lines[`${at}`] = {
        current,
        pending,
        slots,
        wrong,
        nowMs,
        again: at === 3 ? null : pipeline.read(batch, nowMs + 1),
      };
      nowMs += at === 2 ? 9 : 0.7;
      pipeline.release(nowMs);
    });
    lines.uses = pipeline.takeUses();
    lines.none = pipeline.takeUses();
    const empty = new StagingPipeline([], costs);
    lines.empty = {
      current: empty.current,
      pending: empty.pending(0),
      slot: empty.slotOf(0, 0),
      read: orRefused(() => empty.read(0, 0)),
      release: orRefused(() => empty.release(0)),
    };
    table.holds('slots', lines);
  });

  it('regions', () => {
    const context = contextOf(1_000_000);
    const of = (rows: number, positions: number): PlacedPass => ({
      rows,
      positions,
      ops: [],
      scratchBytes: () => rows * 1501 + 1,
    });
    const one = regionsFor(context, of(8, 48), null);
    const cases = {
      one,
      same: regionsFor(context, of(8, 40), one) === one,
      longer: regionsFor(context, of(8, 49), one),
      wider: regionsFor(context, of(41, 48), one),
      'as wide': regionsFor(context, of(40, 48), one) === one,
      shorter: regionsFor(context, of(50, 10), regionsFor(context, of(8, 200), null)),
    };
    table.holds('regions', {
      ...cases,
      mapMs: mapMs(context.costs, 1000),
      copyMs: copyMs(context.costs, 1000),
    });
  });

  it('what does not fit, in words', () => {
    const need = (what: string, bytes: number) => ({ what, bytes });
    const many = Array.from({ length: 7 }, (_, at) => need(`w${at}`, 1000 + at));
    table.holds('words', {
      kv: doesNotFit(1000, 10, [need('KV cache', 900), need('activations', 800), need('none', 0)]).message,
      activations: doesNotFit(1000, 10, [need('KV cache', 800), need('activations', 900)]).message,
      five: doesNotFit(1000, 10, many.slice(0, 5)).message,
      seven: doesNotFit(1000, 10, many).message,
      equal: doesNotFit(1000, 10, [need('a', 5), need('b', 5)]).message,
    });
  });
});

describe.each(Object.entries(MODELS))('what a model asks of memory: %s', (name, model) => {
  const shape = { rows: 33, kvSets: [{ name: 'prefix', length: 70 }], logitsRows: 9, masked: true };

  it('lifetimes and activations', () => {
    for (const placement of ['layers-npu', 'products-npu', 'layers-npu-but-attention'] as const) {
      const stack = madeUpStack({ placement });
      const graph = graphFor(model, shape, precisionFor('q8_0'));
      const ops = groupsOf(stack, graph, madeUpChip())
        .filter(({ device }) => device === 'npu')
        .flatMap((group) => group.ops);
      const { weights, kvBytes, activations } = classify(graph, ops);
      const { bytes, offsets } = layoutScratch(activations);
      const text = (ranges: typeof weights) =>
        ranges.map(({ tensor, bytes: size, first, last }) => `${tensor} ${size} ${first}-${last}`);
      table.holds(`${name} ${placement}`, {
        all: {
          weights: weights.length,
          kvBytes,
          activations: activations.length,
          bytes,
          ranges: digest([text(weights), text(activations)]),
          offsets: digest(offsets),
          some: text(activations.slice(0, 4)),
        },
      });
    }
  });

  it('weights, windows and sessions', () => {
    const lines: Record<string, unknown> = {};
    for (const [stackName, changes] of Object.entries(STACKS)) {
      const sessions =
        stackName === 'compiled' ? 'shards-of-1-gib' : stackName === 'hexagon' ? 'hexagon-devices' : 'one';
      // Some with the head on the NPU, some without.
      const placement = sessions === 'one' ? 'layers-npu' : 'embedding-cpu-rest-npu';
      const stack = madeUpStack({ ...changes, sessions, placement });
      for (const quant of ['q4_0', 'q8_0'] as const) {
        const own =
          quant === 'q8_0' && stackName === 'staged'
            ? { tensors: { 'blk.1.ffn_down.weight': 'f16' as const } }
            : stackName === 'direct'
              ? { kv: 'f32' as const }
              : {};
        const chip = {
          profile: madeUpChip({}, { bytes: 200_000 }),
          stack,
          model,
          precision: precisionFor(quant, own),
        };
        const rates = ratesOf(chip.profile, false);
        const npu = new NpuUnits({ ...chip, rates }, 'closed-form');
        const { weights, compute, ...context } = memoryContext(
          chip,
          rates,
          npu,
          quant === 'q4_0' ? shape : null,
        );
        // Once: what each operator takes is the matter of other tables.
        const isComputed = name === 'plain' && stackName === 'staged' && quant === 'q4_0';
        const computed = isComputed ? digest(compute().map(({ op, ms }) => [op.id, ms])) : null;
        lines[`${stackName} ${quant}`] = {
          on: weightsOnNpu(chip),
          kv: kvBytesPerToken(chip),
          stages: [300_000, 900_000, 2_000_000].map((bytes) =>
            mayStage({ ...chip, profile: madeUpChip({}, { bytes }) }),
          ),
          refuses: [10_000, 40_000].map((bytes) =>
            orRefused(() => checkWindow({ ...chip, profile: madeUpChip({}, { bytes }) }) ?? 'fits'),
          ),
          context,
          weights: `${weights.length} ${digest(weights)}`,
          computed,
        };
      }
    }
    table.holds(`${name} on`, lines);
  });
});

describe('the plan of a window', () => {
  it.each(['somr', 'on-demand', 'paging', 'unlimited'] as const)('in mode %s', (memory) => {
    const sizes = memory === 'somr' ? [420_000, 3_000_000] : [420_000];
    const lines = sizes.map((bytes) => [
      `${bytes}`,
      orRefused(() => {
        const of = machine({
          profile: madeUpChip({}, { bytes }),
          stack: madeUpStack({ numbers: { kvGrowthTokens: 16 } }),
          shapes: MODELS.plain as (typeof MODELS)[string],
          quant: 'q4_0',
          memory,
          record: true,
        });
        const { map, ...plan } = memoryPlan(of, 9, 60);
        return { ...plan, map: digest(map) };
      }),
    ]);
    table.holds(`plan ${memory}`, Object.fromEntries(lines));
  });
});
