import type { Command } from 'commander';
import { CheckError } from '../../src/errors.js';
import { formatTable } from '../../src/util/table.js';
import type { Context } from '../io.js';

export function registerHvx(program: Command, context: () => Context): void {
  program
    .command('hvx')
    .description(
      'run the priced vector kernels as Hexagon code under emulation, compare bits, count instructions',
    )
    .option('--profile <name>', 'chip whose model the counts are put beside', 'sm8750')
    .addHelpText(
      'after',
      '\nNeeds clang-14, lld-14, llvm-14 and qemu-user (Debian). Executes integer HVX for V66; the float variant for V69 is' +
        '\ncompiled and counted, not run. Emulation has no timing. Exits with 1 when a bit differs from npu-numerics.' +
        '\n\nExamples:\n  $ dllm-npu hvx\n  $ dllm-npu hvx --profile sm8650 --json',
    )
    .action((options: { readonly profile: string }) => run(context(), options.profile));
}

async function run(ctx: Context, profileName: string): Promise<void> {
  const { loadProfile } = await import('../../sim/hardware/load-profile.js');
  const { compareHvxKernels } = await import('../../hw/hvx/compare.js');
  const { npu } = loadProfile(profileName);
  /** Cycles of one vector thread that the machine model charges for a block; null where it has no such kernel. */
  const modelled: Readonly<Record<string, number>> = {
    'dequantise-q4_0': 1024 / npu.dequantWeightsPerCycle,
    exp2: npu.exponentialOps,
  };
  const rows = compareHvxKernels().map((kernel) => {
    const modelCycles = modelled[kernel.kernel]!;
    return { ...kernel, modelCycles, modelPerPacket: modelCycles / kernel.float.packets };
  });
  ctx.data({ executionClass: 'isa-emulated', profile: profileName, kernels: rows });
  const header = [
    ['kernel', '(one block)'],
    ['bytes', 'in / out'],
    ['bits', 'compared'],
    ['differ'],
    ['V66 executed:', 'instr / packets'],
    ['V69 compiled:', 'instr / packets'],
    ['model', 'cycles'],
    ['model /', 'V69 packets'],
  ];
  ctx.print(
    formatTable(
      header.map((lines, index) => ({ header: lines, align: index === 0 ? 'left' : 'right' })),
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
}
