import { describe, expect, it } from 'vitest';
import { loadProfile, overrideProfile } from '../../../sim/hardware/load-profile.js';
import { chainEndsClosedForm, chainEndsMs } from '../../../sim/machine/chain.js';
import { cpuMs, dotMacsPerMs } from '../../../sim/machine/cpu-model.js';
import { lower } from '../../../sim/machine/lower/index.js';
import { reachedExperts } from '../../../sim/machine/lower/moe.js';
import { dmaMs } from '../../../sim/machine/lower/moves.js';
import { NpuUnits, stretched, timeAlone } from '../../../sim/machine/npu-unit.js';
import { ratesOf } from '../../../sim/machine/rates.js';
import { allocateTcm, tcmBytes } from '../../../sim/machine/tcm.js';
import { stackByName } from '../../../sim/stacks/registry.js';
import { UsageError } from '../../../src/errors.js';
import { graphFor } from '../../../src/model/graph-cache.js';
import { precisionFor } from '../../../src/model/precision.js';
import { resolvePreset } from '../../../src/model/presets.js';

const lladaCpp = stackByName('llada.cpp');

const profile = loadProfile('sm8750');
const contextOf = (chip = profile) => ({ profile: chip, stack: lladaCpp, rates: ratesOf(chip, false) });

describe('DMA', () => {
  it('costs a fixed latency per descriptor, then bytes over rate', () => {
    expect(dmaMs(32e6, 0, contextOf())).toBeCloseTo(2 * 0.001 + 1, 9);
    expect(dmaMs(0, 0, contextOf())).toBe(0);
  });

  it('gets 12 GB/s while the matrix unit works, 32 GB/s for the rest', () => {
    // 1 ms beside the matrix unit moves 12 MB; 4 MB are left.
    expect(dmaMs(16e6, 1, contextOf())).toBeCloseTo(0.001 + 1 + 4e6 / 32e6, 9);
    expect(dmaMs(6e6, 1, contextOf())).toBeCloseTo(0.001 + 0.5, 9);
  });
});

describe('on-chip memory', () => {
  const graph = graphFor(
    resolvePreset('llada-8b'),
    { rows: 32, kvSets: [], logitsRows: 1, masked: false },
    precisionFor('q4_0'),
  );

  it('no operator of LLaDA-8B exceeds 8 MiB', () => {
    for (const op of graph.ops) {
      if (op.layer === null) continue;
      expect(lower(op, graph, contextOf()).tcmPeakBytes).toBeLessThanOrEqual(profile.npu.tcm);
    }
  });

  it('smaller memory means smaller chunks, and too small a memory is named', () => {
    const op = graph.ops.find((candidate) => candidate.kind === 'matmul' && candidate.role === 'q');
    if (op === undefined) throw new Error('no q');
    const small = contextOf(overrideProfile(profile, { 'npu.tcm': '2 MiB' }));
    expect(lower(op, graph, small).tcmPeakBytes).toBeLessThanOrEqual(2 * 1024 * 1024);
    const tiny = contextOf(overrideProfile(profile, { 'npu.tcm': '64 KiB' }));
    expect(() => lower(op, graph, tiny)).toThrow(/blk\.0\.attn_q.*does not fit 65536 B of on-chip memory/);
  });

  it('places copies one after the other, aligned', () => {
    const { offsets, peakBytes } = allocateTcm(1000, [{ name: 'a', bytes: 100, copies: 2 }], 'op');
    expect(offsets.get('a')).toEqual([0, 128]);
    expect(peakBytes).toBe(256);
    // To the last byte, and not one more.
    expect(allocateTcm(256, [{ name: 'a', bytes: 100, copies: 2 }], 'op').peakBytes).toBe(256);
    expect(() => allocateTcm(255, [{ name: 'a', bytes: 100, copies: 2 }], 'op')).toThrow(
      /op: a .* 1 B too much/,
    );
    const buffers = [
      { name: 'a', bytes: 100, copies: 2 },
      { name: 'b', bytes: 129, copies: 1 },
    ];
    expect(allocateTcm(1000, buffers, 'op').peakBytes).toBe(512);
    expect(tcmBytes(buffers)).toBe(512);
    expect(() => allocateTcm(1000, [{ name: 'b', bytes: 600, copies: 2 }], 'op')).toThrow(UsageError);
    expect(() => allocateTcm(1000, [{ name: 'b', bytes: 600, copies: 2 }], 'op')).toThrow(
      /op: b .* 280 B too much/,
    );
  });
});

describe('routed experts', () => {
  it('stream the three matrices of every expert that uniform routing reaches', () => {
    const graph = graphFor(
      resolvePreset('llada-moe-7b-a1b'),
      { rows: 32, kvSets: [], logitsRows: 1, masked: false },
      precisionFor('q4_0'),
    );
    const op = graph.ops.find((candidate) => candidate.kind === 'moe');
    if (op?.kind !== 'moe') throw new Error('no experts');
    // 64 experts, 8 per token: 64 (1 - (7/8)^32) = 63.1 of them are reached by 32 rows.
    expect(reachedExperts(op)).toBeCloseTo(63.108, 3);
    const { dmaBytes, matrixMacs } = lower(op, graph, contextOf());
    const weightBytes = op.weights.reduce((sum, id) => sum + (graph.tensors.get(id)?.bytes ?? 0), 0);
    const activationBytes = 64 * 4 * 2 * 3 * (op.width + op.expertFfn);
    expect(dmaBytes).toBeCloseTo(weightBytes + activationBytes, 3);
    // 4 rows each, padded to a tile of 32.
    expect(matrixMacs).toBe(64 * 3 * 32 * op.width * op.expertFfn);
  });
});

describe('CPU', () => {
  it('a mid core multiplies at 0.4 of what a prime core does in a 4-bit matrix-vector product', () => {
    expect(dotMacsPerMs(profile, 'q4_0')).toBeCloseTo((42.2e6 / 2 / 0.5625) * 0.4, 3);
  });

  it('is bound by threads or by memory, whichever is slower', () => {
    const work = { singleThreadMs: 8, bytes: 3000 };
    expect(cpuMs(work, 4, 1e9)).toBe(2);
    expect(cpuMs(work, 4, 1000)).toBe(3);
  });
});

describe('an operator alone', () => {
  const chunk = { loadMs: 4, decodeMs: 2, multiplyMs: 1, finishMs: 0, storeMs: 0 };
  const setup = { loadMs: 0, convertMs: 0 };
  const pipeline = { path: 'dma', tiles: 1, setup, chunk, fullChunks: 5, rest: null } as const;
  const other = { ...pipeline, fullChunks: 1 };
  const bytes = { dmaBytes: 0, l2Bytes: 0, matrixMacs: 0, tcmPeakBytes: 0 };

  it('takes its pipelines one after the other, as often as it repeats them', () => {
    const rates = { npuDramBytesPerMs: 1000 };
    const of = (pipelines: readonly (typeof pipeline | typeof other)[], repeats: number) =>
      timeAlone({ ...bytes, pipelines, repeats }, rates);
    expect(of([pipeline], 1).ms).toBe(23);
    expect(of([pipeline], 3).ms).toBe(69);
    expect(of([pipeline, pipeline, other], 1).ms).toBe(2 * 23 + 7);
    expect(of([other, pipeline], 2).ms).toBe(2 * (23 + 7));
    // 5 + 5 + 1 chunks, twice.
    expect(of([pipeline, pipeline, other], 2).busyMs).toEqual([22, 44, 88, 0]);
  });

  it('moves its bytes no faster than DRAM gives them to all its agents together', () => {
    const kernel = { ...bytes, pipelines: [pipeline], repeats: 1, dmaBytes: 30_000, l2Bytes: 20_000 };
    expect(timeAlone(kernel, { npuDramBytesPerMs: 1000 }).ms).toBe(50);
    expect(timeAlone(kernel, { npuDramBytesPerMs: 5000 }).ms).toBe(23);
  });
});

describe('operators of a compiled graph', () => {
  const stack = stackByName('qnn');
  const context = { profile, stack, rates: ratesOf(profile, false, stack.weightStream) };
  const graph = graphFor(
    { ...resolvePreset('qwen3-0.6b'), layers: 2 },
    { rows: 32, kvSets: [], logitsRows: 1, masked: false },
    precisionFor('q4_0'),
  );
  const inLayer = (layer: number) => graph.ops.filter((op) => op.layer === layer && op.kind === 'matmul');

  it('are one chain in a layer, and begin anew with the next', () => {
    expect(stack.activationsIn).toBe('tcm');
    const ms = (ops: typeof graph.ops) =>
      new NpuUnits(context).timeGroup(ops, graph).map((timed) => timed.ms);
    const [first, second] = [ms(inLayer(0)), ms(inLayer(1))];
    expect(ms([...inLayer(0), ...inLayer(1)])).toEqual([...first, ...second]);
    // Within a layer weights are fetched ahead: less than one after the other.
    const sum = (of: readonly number[]) => of.reduce((a, b) => a + b, 0);
    expect(sum(first)).toBeLessThan(sum(inLayer(0).map((op) => new NpuUnits(context).time(op, graph).ms)));
  });

  it('end in closed form where they do event by event, however often they repeat', () => {
    const chunk = { loadMs: 4, decodeMs: 2, multiplyMs: 1, finishMs: 1, storeMs: 0 };
    const of = (tiles: number, fullChunks: number, repeats: number) => ({
      pipelines: [
        { path: 'dma', tiles, setup: { loadMs: 1, convertMs: 0 }, chunk, fullChunks, rest: null } as const,
      ],
      repeats,
      ...{ dmaBytes: 0, l2Bytes: 0, matrixMacs: 0, tcmPeakBytes: 0 },
    });
    const kernels = [of(1, 40, 1), of(1, 40, 6), of(1, 3, 2), of(5, 20, 3), of(2, 4, 9)];
    const events = chainEndsMs(kernels);
    const closed = chainEndsClosedForm(kernels);
    events.forEach((ms, at) => {
      expect(closed[at] / ms, `operator ${at}`).toBeGreaterThan(0.98);
      expect(closed[at] / ms, `operator ${at}`).toBeLessThan(1.02);
    });
  });
});

describe('stretched', () => {
  const kernel = { pipelines: [], repeats: 1, dmaBytes: 0, l2Bytes: 0, matrixMacs: 0, tcmPeakBytes: 0 };
  const alone = { ...kernel, ms: 10, busyMs: [1, 2, 8, 0] as const };
  const besideCopy = { ...kernel, ms: 20, busyMs: [1, 2, 16, 0] as const };

  it('goes at half pace beside a copy', () => {
    // 2 ms alone, 4 ms beside the copy (2 ms worth), 6 ms alone.
    const { ms, busyMs } = stretched(alone, besideCopy, [{ startMs: 102, endMs: 106 }], 100);
    expect(ms).toBeCloseTo(12, 9);
    expect(busyMs[2]).toBeCloseTo(0.8 * 8 + 0.2 * 16, 9);
  });

  it('ignores copies before and after', () => {
    expect(
      stretched(
        alone,
        besideCopy,
        [
          { startMs: 0, endMs: 50 },
          { startMs: 110, endMs: 120 },
        ],
        100,
      ).ms,
    ).toBeCloseTo(10, 9);
  });
});
