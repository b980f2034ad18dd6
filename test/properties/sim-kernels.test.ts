import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { loadProfile, overrideProfile, profileNames } from '../../sim/hardware/load-profile.js';
import { loweredKernel, type SingleSpec } from '../../sim/kernel/lowered.js';
import { timeKernel } from '../../sim/kernel/time-kernel.js';
import { ROW_OPERATORS } from '../../sim/machine/lower/row-operator.js';
import { timeAlone } from '../../sim/machine/npu-unit.js';
import { serialMs } from '../../sim/machine/pipeline.js';
import { ratesOf } from '../../sim/machine/rates.js';
import { stackByName } from '../../sim/stacks/registry.js';
import { FASTER, RUNS, SLOWER } from './sim-arbitraries.js';

const tiles = (most: number) => fc.integer({ min: 1, max: most }).map((count) => 32 * count);
const rows = fc.integer({ min: 1, max: 200 });

/** Operators of all kinds that the single operator can be. */
const specs: fc.Arbitrary<SingleSpec> = fc.oneof(
  fc.record({
    kind: fc.constant('product' as const),
    rows,
    inWidth: tiles(64),
    outWidths: fc.array(tiles(64), { minLength: 1, maxLength: 3 }),
    weights: fc.constantFrom('q4_0' as const, 'q8_0' as const, 'f16' as const),
    adds: fc.boolean(),
  }),
  fc
    .record({ rows, keys: fc.integer({ min: 1, max: 600 }), kvHeads: fc.integer({ min: 1, max: 8 }) })
    .map(({ rows, keys, kvHeads }) => ({
      kind: 'attention' as const,
      rows,
      keys: Math.max(keys, rows),
      heads: 4 * kvHeads,
      kvHeads,
      headDim: 64,
    })),
  fc.record({
    kind: fc.constant('rows' as const),
    operator: fc.constantFrom(...ROW_OPERATORS),
    rows,
    width: tiles(128),
  }),
);

const stacks = fc.constantFrom(
  'llama.cpp-hexagon',
  'llama.cpp-hexagon@2026-05',
  'llama.cpp-hexagon@2026-02',
  'llada.cpp',
);
const chips = fc.record({
  profile: fc.constantFrom(...profileNames()).map(loadProfile),
  stack: stacks.map(stackByName),
});

describe('laws of one operator', () => {
  it('takes no longer than its stages one after the other, and no shorter than its busiest unit', () => {
    fc.assert(
      fc.property(specs, chips, (spec, { profile, stack }) => {
        const context = { profile, stack, rates: ratesOf(profile, false, stack.weightStream) };
        const kernel = loweredKernel(spec, context);
        const { ms, busyMs } = timeAlone(kernel, context.rates);
        const serial = kernel.pipelines.reduce((sum, pipeline) => sum + serialMs(pipeline), 0);
        expect(ms).toBeLessThanOrEqual(kernel.repeats * serial * (1 + 1e-9));
        expect(ms).toBeGreaterThanOrEqual(Math.max(...busyMs) * (1 - 1e-9));
      }),
      { numRuns: RUNS },
    );
  });

  it('moves its bytes no faster than DRAM gives them to all agents together', () => {
    fc.assert(
      fc.property(specs, chips, (spec, { profile, stack }) => {
        const context = { profile, stack, rates: ratesOf(profile, false, stack.weightStream) };
        const kernel = loweredKernel(spec, context);
        const { ms } = timeAlone(kernel, context.rates);
        const rate = (kernel.dmaBytes + kernel.l2Bytes) / ms / 1e6;
        expect(rate).toBeLessThanOrEqual(profile.dram.achievableRate * (1 + 1e-9));
      }),
      { numRuns: RUNS },
    );
  });

  it('is never slower on a chip that is faster in one number', () => {
    const knobs = fc.constantFrom(
      ...Object.keys({ ...FASTER, ...SLOWER }).filter((name) => name.startsWith('npu.')),
    );
    const factors = fc.double({ min: 1, max: 4, noNaN: true });
    fc.assert(
      fc.property(specs, chips, knobs, factors, (spec, { profile, stack }, path, factor) => {
        const number = Number.parseFloat(profile.provenance[path]?.text ?? '');
        const unit = (FASTER[path] ?? SLOWER[path])?.unit ?? '';
        const changed = FASTER[path] === undefined ? number / factor : number * factor;
        // Rates past a limit that the profile states are refused.
        let better = profile;
        try {
          better = overrideProfile(profile, { [path]: `${changed.toFixed(9)} ${unit}` });
        } catch {
          return;
        }
        const [before, after] = [profile, better].map(
          (chip) => timeKernel(spec, { profile: chip, stack }).deviceMs,
        );
        expect(after).toBeLessThanOrEqual(before * (1 + 1e-6));
      }),
      { numRuns: RUNS },
    );
  });
});
