import { describe, expect, it } from 'vitest';
import { loadProfile, overrideProfile } from '../../../sim/hardware/load-profile.js';
import type { Kernel } from '../../../sim/machine/kernel.js';
import { lower, operatorStarts } from '../../../sim/machine/lower/index.js';
import { activationMoves } from '../../../sim/machine/lower/moves.js';
import { busyOf } from '../../../sim/machine/pipeline.js';
import { ratesOf } from '../../../sim/machine/rates.js';
import { stackByName } from '../../../sim/stacks/registry.js';
import type { SoftwareStack } from '../../../sim/stacks/stack.js';
import type { Op } from '../../../src/model/graph.js';
import { graphFor } from '../../../src/model/graph-cache.js';
import { precisionFor } from '../../../src/model/precision.js';
import { resolvePreset } from '../../../src/model/presets.js';

const profile = loadProfile('sm8750');
const backend = stackByName('llama.cpp-hexagon');
const byDma: SoftwareStack = { ...backend, productActivations: 'dma' };
const contextOf = (stack: SoftwareStack, chip = profile) => ({
  profile: chip,
  stack,
  rates: ratesOf(chip, false, stack.weightStream),
});

function opOf(rows: number, pick: (op: Op) => boolean) {
  const shape = { rows, kvSets: [], logitsRows: 1, masked: false };
  const precision = { ...precisionFor('q4_0'), activations: 'f32' as const };
  const graph = graphFor(resolvePreset('qwen3-4b'), shape, precision);
  const op = graph.ops.find((candidate) => candidate.layer === 1 && pick(candidate));
  if (op === undefined) throw new Error('no such operator');
  return { op, graph };
}

const busy = ({ pipelines }: Kernel) =>
  pipelines.map(busyOf).reduce((sum, part) => sum.map((ms, unit) => ms + (part[unit] ?? 0)) as typeof part);

describe('activations of a product', () => {
  const { op, graph } = opOf(128, (candidate) => candidate.kind === 'matmul' && candidate.role === 'up');
  const outBytes = 128 * 9728 * 4;

  it('that vector threads store occupy them, not the DMA queue', () => {
    const [threads, queue] = [backend, byDma].map((stack) => lower(op, graph, contextOf(stack)));
    if (threads === undefined || queue === undefined) throw new Error('not lowered');
    expect(queue.dmaBytes - threads.dmaBytes).toBeCloseTo(outBytes, 3);
    expect(threads.l2Bytes - queue.l2Bytes).toBeCloseTo(outBytes, 3);
    const [, vectorMs, dmaMs] = busy(threads);
    const [, vectorByDmaMs, dmaByDmaMs] = busy(queue);
    expect(vectorMs).toBeGreaterThan(vectorByDmaMs);
    expect(dmaMs).toBeLessThan(dmaByDmaMs);
    // Threads that wait for DRAM take at least as long as the bytes do.
    expect(vectorMs).toBeGreaterThanOrEqual(outBytes / contextOf(backend).rates.directBytesPerMs);
  });

  it('take longer when threads reach DRAM slowly, whatever the queue does', () => {
    const slow = overrideProfile(profile, { 'npu.directReadRate': '12 GB/s' });
    const vectorMs = (chip: typeof profile) => busy(lower(op, graph, contextOf(backend, chip)))[1];
    expect(vectorMs(slow)).toBeGreaterThan(vectorMs(profile));
  });

  it('hide the conversion behind the bytes or the bytes behind the conversion', () => {
    const context = contextOf(backend);
    const { queuesBytesPerMs, directBytesPerMs } = context.rates;
    const moves = (vectorMs: number) =>
      activationMoves(
        { in: queuesBytesPerMs, out: directBytesPerMs },
        { in: vectorMs, out: vectorMs },
        context,
      );
    expect(moves(0.5)).toMatchObject({ convertMs: 1, finishMs: 1, loadMs: 0, storeMs: 0 });
    expect(moves(2)).toMatchObject({ convertMs: 2, finishMs: 2 });
    const flat = contextOf(stackByName('llama.cpp-hexagon@2026-05'));
    const direct = activationMoves({ in: directBytesPerMs, out: 0 }, { in: 0, out: 0 }, flat);
    expect(direct).toMatchObject({ convertMs: 1, dmaBytes: 0, l2Bytes: directBytesPerMs });
  });
});

describe('products of few rows', () => {
  it('do not overlap on the matrix unit, and do from 33 rows', () => {
    const serial = (rows: number) => {
      const { op, graph } = opOf(rows, (candidate) => candidate.kind === 'matmul' && candidate.role === 'up');
      return lower(op, graph, contextOf(backend)).pipelines.some((pipeline) => pipeline.serial === true);
    };
    expect(serial(32)).toBe(true);
    expect(serial(33)).toBe(false);
  });
});

describe('operators the graph does not show', () => {
  it('write new keys and values to the cache', () => {
    const { op, graph } = opOf(64, (candidate) => candidate.kind === 'attention');
    const plain: SoftwareStack = { ...backend, extraOperators: { normGain: false, kvWrites: false } };
    const [withWrites, without] = [backend, plain].map((stack) => lower(op, graph, contextOf(stack)).l2Bytes);
    // Keys and values of 8 heads of 128, read as F32, stored as FP16.
    expect((withWrites ?? 0) - (without ?? 0)).toBe(2 * 64 * 8 * 128 * (4 + 2));
    expect(operatorStarts(op, backend)).toBeGreaterThan(operatorStarts(op, plain));
  });

  it('apply the gain of a norm to the normed rows once more', () => {
    const { op, graph } = opOf(64, (candidate) => candidate.kind === 'rmsnorm');
    const flat = stackByName('llama.cpp-hexagon@2026-05');
    const fused: SoftwareStack = { ...flat, extraOperators: { normGain: false, kvWrites: true } };
    const bytes = (stack: SoftwareStack) => {
      const { dmaBytes, l2Bytes } = lower(op, graph, contextOf(stack));
      return dmaBytes + l2Bytes;
    };
    // Read and written again; the gain is fetched by six threads in both.
    expect(bytes(flat) - bytes(fused)).toBe(2 * 64 * 2560 * 4);
    expect(operatorStarts(op, flat)).toBe(2);
    expect(operatorStarts(op, fused)).toBe(1);
  });
});
