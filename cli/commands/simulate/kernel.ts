import { createColors } from 'picocolors';
import { z } from 'zod';
import { openChip } from '../../../experiments/lab/open.js';
import type { Interval } from '../../../sim/interval/interval.js';
import { chipIntervals } from '../../../sim/interval/of-runs.js';
import { parseKernel } from '../../../sim/kernel/parse.js';
import { checkOnNpu } from '../../../sim/kernel/placed.js';
import { type KernelTiming, timeKernel } from '../../../sim/kernel/time-kernel.js';
import { table } from '../../../src/util/table.js';
import { defineCommand } from '../../command.js';
import { chip } from '../../groups.js';
import { heldNote, intervalText } from '../../interval-text.js';

export const command = defineCommand({
  arguments: {
    operator: z.string().min(1).describe('e.g. "MUL_MAT m2048 k8192 n2", as llama.cpp names it'),
  },
  options: {
    profile: chip.profile,
    stack: chip.stack
      .removeDefault()
      .default('llama.cpp-hexagon')
      .describe('software stack, see `hardware stacks`, or path of one'),
    numbers: chip.numbers,
  },
  notes:
    'Names: MUL_MAT mOUT kIN nROWS, with +ADD, with m2048+512+512 or "gate+up" where products are fused, with q8_0 or' +
    '\nf16 for other weights; 64x2048x8192 (rows, in, out); MUL_MAT_ID ... eEXPERTS topUSED; FLASH_ATTN_EXT dHEADDIM hHEADS' +
    '\nkvKVHEADS nqROWS nkvCACHED; RMS_NORM+MUL, SWIGLU, ADD, SET_ROWS ... nWIDTH rROWS; ROPE dHEADDIM hHEADS rROWS; or a' +
    '\npart of a model\'s layer: "llama-3.2-3b gate+up n1". Row operators are in F32 unless they say f16, f32->f16 or, with' +
    '\nthe words of test-backend-ops, type=f16; SOFT_MAX ... mask f16 has a mask. SSM_CONV and CONCAT nCHANNELS kTAPS rPOSITIONS (4 taps' +
    '\nwhere none are said). An operator of the backend whose loops were not counted (ARGSORT, GATED_DELTA_NET, ...) is refused.' +
    '\nDevice time is what a trace of the NPU shows; call time is what a host sees that waits for the one operator.',
  examples: [
    'simulate kernel "FLASH_ATTN_EXT d64 h32 kv8 nq35 nkv256" --profile sm8750 --json',
    'simulate kernel "SWIGLU n8192 r1" --stack llama.cpp-hexagon',
    'simulate kernel "MUL_MAT m8192 k2048 n35" --set stack.forkMs=2us',
  ],
  run(ctx, { operator, profile, stack, numbers }) {
    const chosen = openChip({ profile, stack, numbers });
    const spec = parseKernel(operator);
    checkOnNpu(spec, chosen.stack);
    const timing = timeKernel(spec, chosen);
    const further = ['one operator'] as const;
    const { intervals, held } = chipIntervals(
      chosen,
      [
        { ms: timing.deviceMs, further },
        { ms: timing.callMs, further },
      ],
      (drawn) => {
        const { deviceMs, callMs } = timeKernel(spec, drawn);
        return [deviceMs, callMs];
      },
      ctx.signal,
    );
    const [{ low, high }, call] = intervals;
    ctx.data({
      operator,
      profile,
      stack,
      ...timing,
      low,
      high,
      callLow: call.low,
      callHigh: call.high,
      intervals: held,
    });
    ctx.print(`${operator} on ${profile} (${stack}), simulated\n`);
    ctx.print(
      table(['part', '> us', '80 % interval'], rowsOf(timing, intervals), {
        styleHeader: createColors(ctx.color).bold,
      }),
    );
    ctx.print(`\nlongest busy: ${timing.bound}`);
    ctx.print(heldNote(held));
  },
});

function rowsOf(
  { deviceMs, callMs, parts, busyMs }: KernelTiming,
  [device, call]: readonly Interval[],
): string[][] {
  const between = ({ low, high }: Interval): string => intervalText({ low: low * 1e3, high: high * 1e3 });
  const us = (ms: number): string => (ms * 1e3).toFixed(1);
  return [
    ['device time', us(deviceMs), between(device)],
    ...Object.entries(busyMs)
      .filter(([, ms]) => ms > 0)
      .map(([unit, ms]) => [`  ${unit} busy`, us(ms), '']),
    ['call time', us(callMs), between(call)],
    ...parts.filter(({ ms }) => ms > 0).map(({ name, ms }) => [`  ${name}`, us(ms), '']),
  ];
}
