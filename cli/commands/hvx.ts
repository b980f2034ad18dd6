import { compareHvxKernels } from '../../hw/hvx/compare.js';
import type { HvxKernel } from '../../hw/hvx/kernels.js';
import { loadProfile } from '../../sim/hardware/load-profile.js';
import { CheckError } from '../../src/errors.js';
import { table } from '../../src/util/table.js';
import { defineCommand } from '../command.js';
import { chip } from '../groups.js';

export const command = defineCommand({
  options: { profile: chip.profile.describe('chip whose model the counts are put beside') },
  notes:
    'Needs clang-14, lld-14, llvm-14 and qemu-user (Debian). Executes integer HVX for V66; the float variant for V69 is' +
    '\ncompiled and counted, not run. Emulation has no timing. Exits with 1 when a bit differs from npu-numerics.',
  examples: ['hvx', 'hvx --profile sm8650 --json'],
  run(ctx, { profile }) {
    const { npu } = loadProfile(profile);
    /** Cycles of one vector thread that the machine model charges for a block. */
    const modelled: Readonly<Record<HvxKernel, number>> = {
      'dequantise-q4_0': 1024 / npu.dequantWeightsPerCycle,
      exp2: npu.exponentialOps,
    };
    const rows = compareHvxKernels().map((kernel) => {
      const modelCycles = modelled[kernel.kernel];
      return { ...kernel, modelCycles, modelPerPacket: modelCycles / kernel.float.packets };
    });
    ctx.data({ executionClass: 'isa-emulated', profile, kernels: rows });
    ctx.print(
      table(
        [
          'kernel\n(one block)',
          '> bytes\nin / out',
          '> bits\ncompared',
          '> differ',
          '> V66 executed:\ninstr / packets',
          '> V69 compiled:\ninstr / packets',
          '> model\ncycles',
          '> model /\nV69 packets',
        ],
        rows.map((row) => [
          row.kernel,
          `${row.inBytes} / ${row.outBytes}`,
          String(row.bitsCompared),
          String(row.differentHalves),
          `${row.executed.instructions} / ${row.executed.packets}`,
          `${row.float.instructions} / ${row.float.packets}`,
          row.modelCycles.toFixed(1),
          row.modelPerPacket.toFixed(2),
        ]),
      ),
    );
    ctx.print(
      '\nClass isa-emulated: what instructions compute and how many there are, not how long they take. A packet takes at least' +
        '\none cycle of its thread; stalls, memory and the latency of a gather are not in it.',
    );
    const wrong = rows.find((row) => row.differentHalves > 0);
    if (wrong !== undefined)
      throw new CheckError(`${wrong.kernel}: ${wrong.differentHalves} halves differ from npu-numerics`);
  },
});
