import { describe, expect, it } from 'vitest';
import { loadProfile, overrideProfile } from '../../../sim/hardware/load-profile.js';
import type { Machine } from '../../../sim/machine/machine.js';
import type { MemoryMode } from '../../../sim/memory/runtime.js';
import { machine as openMachine } from '../../../sim/open-machine.js';
import { stackByName } from '../../../sim/stacks/registry.js';
import { UsageError } from '../../../src/errors.js';
import { resolvePreset } from '../../../src/model/presets.js';

const lladaCpp = stackByName('llada.cpp');

const SHAPE = { rows: 32, kvSets: [{ name: 'prefix', length: 80 }], logitsRows: 32, masked: false };
const BODY_BYTES = 3744 * 1024 * 1024;

function machine(memory: MemoryMode, overrides: Record<string, string> = {}): Machine {
  const profile = overrideProfile(loadProfile('sm8750'), overrides);
  return openMachine({
    profile,
    shapes: resolvePreset('llada-8b'),
    memory,
    stack: lladaCpp,
    quant: 'q4_0',
  });
}

/** Second of two equal passes: the state a decode settles in. */
function steady(memory: MemoryMode, overrides: Record<string, string> = {}) {
  const m = machine(memory, overrides);
  m.timePass(SHAPE);
  const { startMs, endMs, counters } = m.timePass(SHAPE);
  const { mappedBytes = -1, mapOps = -1, stagedBytes = -1 } = counters;
  return { ms: endMs - startMs, mappedBytes, mapOps, stagedBytes };
}

describe('LLaDA-8B in a window its weights exceed', () => {
  it('on demand: least-recently-used buffers thrash, every weight is mapped again each pass', () => {
    const { mappedBytes, mapOps, stagedBytes } = steady('on-demand');
    expect(mappedBytes).toBeGreaterThanOrEqual(BODY_BYTES);
    expect(mappedBytes).toBeLessThan(BODY_BYTES * 1.01);
    expect(mapOps).toBe(4);
    expect(stagedBytes).toBe(0);
  });

  it('paging maps only what does not stay, SOMR maps nothing and stages it beside the NPU', () => {
    const paging = steady('paging');
    const somr = steady('somr');
    expect(paging.mappedBytes).toBeGreaterThan(0);
    expect(paging.mappedBytes).toBeLessThan(BODY_BYTES / 2);
    expect(somr.mappedBytes).toBe(0);
    expect(somr.stagedBytes).toBeGreaterThan(0);
    expect(somr.ms).toBeLessThan(paging.ms);
    expect(paging.ms).toBeLessThan(steady('on-demand').ms);
  });

  it('SOMR hides its copies: as fast as an unlimited window to within 1 %', () => {
    expect(steady('somr').ms / steady('unlimited').ms).toBeLessThan(1.01);
  });

  it('SOMR makes the NPU wait for copies that are slower than it, and tells the wait', () => {
    const slow = { 'cpu.sharedCopyRate': '0.2 GB/s' };
    const somr = machine('somr', slow);
    somr.timePass(SHAPE);
    const { startMs, endMs, counters } = somr.timePass(SHAPE);
    const waited = somr.stepBreakdown().parts.find(({ name }) => name === 'staging wait')?.ms ?? 0;
    // A pass lasts as long as its copies, and all that it lasts longer than in an unlimited window is waiting.
    expect(endMs - startMs).toBeGreaterThan(0.99 * (counters.stagedBytes / 0.2e6));
    expect(waited).toBeGreaterThan(1000);
    expect(waited).toBeCloseTo(endMs - startMs - steady('unlimited', slow).ms, -1);
  });

  it('a window that holds the model needs no mapping in any mode', () => {
    for (const memory of ['on-demand', 'paging', 'somr'] as const) {
      const { mappedBytes, stagedBytes } = steady(memory, {
        'window.bytes': '8 GiB',
        'window.maxMap': '8 GiB',
      });
      expect([mappedBytes, stagedBytes]).toEqual([0, 0]);
    }
  });

  it('says which tensor does not fit and by how much', () => {
    for (const memory of ['on-demand', 'paging', 'somr'] as const) {
      expect(() => machine(memory, { 'window.bytes': '20 MiB' }), memory).toThrow(UsageError);
      expect(() => machine(memory, { 'window.bytes': '20 MiB' })).toThrow(
        /blk\.0\.ffn_\w+\.weight .* [\d.]+ MiB larger/,
      );
      const tight = machine(memory, { 'window.bytes': '160 MiB' });
      expect(() => tight.timePass(SHAPE), memory).toThrow(
        /160 MiB, [\d.]+ [KM]iB missing.*the largest is KV cache/,
      );
    }
  });
});
