import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { profileNames } from '../../sim/hardware/load-profile.js';
import { MEMORY_MODES } from '../../sim/memory/runtime.js';
import { stackNames } from '../../sim/stacks/registry.js';
import { cli } from '../support/run-cli.js';
import { temporaryDirectory } from '../support/temporary-directory.js';

const directory = temporaryDirectory();

/** One step by options of both commands. */
const setups = fc.record({
  stack: fc.constantFrom(...stackNames()),
  profile: fc.constantFrom(...profileNames()),
  model: fc.constantFrom('qwen3-0.6b', 'llama-3.2-1b', 'lfm2-1.2b', 'dream-7b'),
  quant: fc.constantFrom('q4_0', 'q8_0', 'q4_0-quantize'),
  memory: fc.constantFrom(...MEMORY_MODES),
  rows: fc.integer({ min: 1, max: 130 }),
  context: fc.integer({ min: 0, max: 400 }),
  logits: fc.integer({ min: 1, max: 32 }),
});

const optionsOf = (setup: typeof setups extends fc.Arbitrary<infer T> ? T : never): string[] => {
  const { stack, profile, model, quant, memory, rows, context, logits } = setup;
  const chip = [
    '--stack',
    stack,
    '--profile',
    profile,
    '--model',
    model,
    '--quant',
    quant,
    '--memory',
    memory,
  ];
  return [...chip, '--rows', `${rows}`, '--context', `${context}`, '--logits-rows', `${logits}`];
};

interface Same {
  readonly ms: number;
  readonly bound: string;
  readonly low: number;
  readonly high: number;
}

describe('one step', () => {
  it('is the same to simulate step and to explain, interval included, or refused by both', async () => {
    await fc.assert(
      fc.asyncProperty(setups, async (setup) => {
        const options = [...optionsOf(setup), '--json'];
        const step = await cli(['simulate', 'step', ...options]);
        const explain = await cli(['explain', ...options]);
        expect(explain.code).toBe(step.code);
        if (step.code !== 0) return;
        const { rows } = JSON.parse(step.stdout) as { rows: Same[] };
        const { ms, bound, low, high } = JSON.parse(explain.stdout) as Same;
        expect({ ms, bound, low, high }).toEqual({
          ms: rows[0].ms,
          bound: rows[0].bound,
          low: rows[0].low,
          high: rows[0].high,
        });
        expect(low).toBeLessThan(ms);
        expect(high).toBeGreaterThan(ms);
      }),
      { numRuns: 6 },
    );
  });

  it('in a file for Perfetto has slices that add up to what its units were busy, in every memory mode', async () => {
    const titles = { matrix: 'matrix unit', vector: 'vector threads', dma: 'DMA', l2: 'L2 reads and writes' };
    for (const memory of MEMORY_MODES) {
      const file = join(directory, `${memory}.json`);
      const chip = [
        '--memory',
        memory,
        '--set',
        'profile.window.bytes=500 MiB',
        '--model',
        'llama-3.2-1b',
        '--rows',
        '20',
      ];
      const { stdout } = await cli([
        'simulate',
        'step',
        ...chip,
        '--context',
        '60',
        '--perfetto',
        file,
        '--json',
      ]);
      const { rows } = JSON.parse(stdout) as {
        rows: { ms: number; utilization: Record<keyof typeof titles | 'driver', number> }[];
      };
      const [{ ms, utilization }] = rows;
      const { traceEvents } = JSON.parse(readFileSync(file, 'utf8')) as {
        traceEvents: {
          ph: string;
          name: string;
          pid: number;
          tid: number;
          ts: number;
          dur: number;
          args?: { name?: string; step?: number };
        }[];
      };
      for (const [unit, title] of Object.entries({ ...titles, driver: 'driver' })) {
        const thread = traceEvents.find(({ name, args }) => name === 'thread_name' && args?.name === title);
        const busy = utilization[unit as keyof typeof titles] * ms;
        if (thread === undefined) {
          expect(busy).toBe(0);
          continue;
        }
        // The file has the first step as well, in which everything is mapped: the one that is reported is the second.
        const slices = traceEvents.filter(
          ({ ph, pid, tid, args }) =>
            ph === 'X' && pid === thread.pid && tid === thread.tid && args?.step === 1,
        );
        expect(slices.reduce((sum, { dur }) => sum + dur, 0) / 1e3, `${memory} ${unit}`).toBeCloseTo(busy, 2);
      }
    }
  });
});
