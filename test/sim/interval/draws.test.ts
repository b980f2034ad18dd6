import { describe, expect, it } from 'vitest';
import { drawsOf } from '../../../sim/interval/draws.js';
import { openChip } from '../../../sim/open-machine.js';

describe('how much longer a run may take than at top clocks', () => {
  const most = (profile: string, stack: string, threads: number | null = null): number =>
    Math.max(
      ...drawsOf([[openChip({ profile, stack })]], () => false, undefined, threads).map(
        ({ slowdown }) => slowdown,
      ),
    );

  it('is heat on NPU and GPU', () => {
    expect(most('sm8750', 'llama.cpp-hexagon')).toBeLessThan(1.1);
    expect(most('sm8750', 'gpu')).toBeLessThan(1.2);
  });

  it('is up to 2.65 times on a CPU with a thread on every core, and nothing with fewer', () => {
    expect(most('sm8750', 'llama.cpp-cpu', 4)).toBe(1);
    expect(most('sm8750', 'llama.cpp-cpu', 7)).toBe(1);
    expect(most('sm8750', 'llama.cpp-cpu', 8)).toBeGreaterThan(2.4);
    expect(most('x-elite', 'cpu', 8)).toBe(1);
    expect(most('x-elite', 'cpu', 12)).toBeGreaterThan(2.4);
    // Small cores are left out of this profile: they serve the system until threads take them.
    expect(most('sm8550', 'cpu', 5)).toBe(1);
    expect(most('sm8550', 'cpu', 8)).toBeGreaterThan(2.4);
  });
});
