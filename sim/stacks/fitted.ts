import { cpuStack } from './cpu.js';
import { lladaCpp } from './llada-cpp.js';
import type { SoftwareStack } from './stack.js';

/** Start and join of the CPU threads for an operator that makes the CPU steps of arXiv:2606.13740 Table 2 come out. */
const BARRIER_MS = 1.4;

function fitted(stack: SoftwareStack): SoftwareStack {
  return {
    ...stack,
    name: `${stack.name}-fitted`,
    description: `${stack.name} with the CPU barrier fitted to arXiv:2606.13740 Table 2; for the profile sm8750-fitted`,
    numbers: { ...stack.numbers, cpuBarrierMs: BARRIER_MS },
    provenance: {
      ...stack.provenance,
      cpuBarrierMs: {
        value: BARRIER_MS,
        text: `${BARRIER_MS} ms`,
        dimension: 'time',
        kind: 'fitted',
        source: 'arXiv:2606.13740 Table 2',
      },
    },
  };
}

/** Never a default, and never used by a validation: matching what a number was fitted to is no evidence. */
export const FITTED: readonly SoftwareStack[] = [fitted(lladaCpp), fitted(cpuStack)];
