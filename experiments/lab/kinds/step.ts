import { z } from 'zod';
import { energyOf } from '../../../sim/energy/energy.js';
import { PREFIX_SET } from '../../../src/pass/shape.js';
import { defineKind } from '../kind.js';
import { chipSchema } from '../setup.js';
import { chipInputs } from './inputs.js';
import { under } from './under.js';

const config = z.strictObject({
  ...chipSchema.shape,
  rows: z.int().min(1).default(32),
  /** Cached positions the rows attend to. */
  context: z.int().min(0).default(0),
  /** Rows that get logits; null: all. */
  logitsRows: z.int().min(0).nullable().default(null),
});

/** One denoising step in steady state: the second of two equal ones. */
export const stepKind = defineKind({
  name: 'step',
  description: 'one denoising step on a machine, as `simulate step`',
  main: ['ms', 'msPerRow', 'joules'],
  config,
  inputs: async (options) => chipInputs(options),
  async run(options, lab) {
    const { rows, context } = options;
    const machine = lab.machine(options);
    const shape = {
      rows,
      kvSets: context > 0 ? [{ name: PREFIX_SET, length: context }] : [],
      logitsRows: Math.min(options.logitsRows ?? rows, rows),
      masked: false,
    };
    machine.timePass(shape);
    const timing = machine.timePass(shape);
    const { ms, utilization, critical, parts } = machine.stepBreakdown();
    return {
      metrics: {
        ms,
        msPerRow: ms / rows,
        joules: energyOf([timing], machine.options.profile).joules,
        ...under('busyShare', utilization),
        ...under('criticalMs', critical),
        ...under('partMs', Object.fromEntries(parts.map((part) => [part.name, part.ms]))),
        ...timing.counters,
      },
    };
  },
});
