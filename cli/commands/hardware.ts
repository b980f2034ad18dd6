import type { Command } from 'commander';
import { createColors } from 'picocolors';
import type { ProvenanceEntry } from '../../experiments/studies/ladder/types.js';
import { formatTable } from '../../src/util/table.js';
import type { Context } from '../io.js';
import { registerHardwareCompare } from './hardware-compare.js';

export function registerHardware(program: Command, context: () => Context): void {
  const hardware = program
    .command('hardware')
    .description('hardware profiles: every number with unit, source and kind');

  hardware
    .command('list')
    .description('list the profiles')
    .action(async () => {
      const ctx = context();
      const { loadProfile, profileNames } = await import('../../sim/hardware/load-profile.js');
      const profiles = profileNames().map((name) => {
        const { soc, npuArch, description, provenance } = loadProfile(name);
        return { name, soc, npu: npuArch, numbers: Object.keys(provenance).length, description };
      });
      ctx.data({ profiles });
      ctx.print(
        formatTable(
          [
            { header: ['profile'], align: 'left' },
            { header: ['SoC'], align: 'left' },
            { header: ['NPU'], align: 'left' },
            { header: ['numbers'], align: 'right' },
            { header: ['description'], align: 'left' },
          ],
          profiles.map((p) => [p.name, p.soc, p.npu, String(p.numbers), p.description]),
        ),
      );
    });

  hardware
    .command('show')
    .description(
      'print a profile: value, kind (measured, vendor, derived, fitted, assumed) and source of each number',
    )
    .argument('<profile>', 'name (see `hardware list`) or path of a profile file')
    .addHelpText(
      'after',
      '\nExamples:\n  $ dllm-npu hardware show sm8750\n  $ dllm-npu hardware show ./my-phone.json --json',
    )
    .action(async (name: string) => {
      const ctx = context();
      const { loadProfile, profileHash } = await import('../../sim/hardware/load-profile.js');
      const { provenanceEntries } = await import('../../experiments/studies/ladder/provenance.js');
      const profile = loadProfile(name);
      const numbers = provenanceEntries(profile.provenance);
      const { soc, npuArch, description } = profile;
      ctx.data({ name: profile.name, soc, npu: npuArch, description, sha256: profileHash(name), numbers });
      ctx.print(`${profile.name}: ${description}\n`);
      printNumbers(ctx, numbers);
    });
  hardware
    .command('stack')
    .description('print the numbers of a software stack: how a chip is used, with kind and source')
    .argument('<stack>', 'name, see `hardware stacks`')
    .addHelpText('after', '\nExample:\n  $ dllm-npu hardware stack llada.cpp')
    .action(async (name: string) => {
      const ctx = context();
      const { stackByName } = await import('../../sim/stacks/registry.js');
      const { provenanceEntries } = await import('../../experiments/studies/ladder/provenance.js');
      const numbers = provenanceEntries(stackByName(name).provenance);
      ctx.data({ name, numbers });
      printNumbers(ctx, numbers);
    });
  registerHardwareCompare(hardware, context);
}

function printNumbers(ctx: Context, numbers: readonly ProvenanceEntry[]): void {
  const c = createColors(ctx.color);
  const paint = { measured: c.green, vendor: c.green, derived: c.blue, fitted: c.yellow, assumed: c.yellow };
  ctx.print(
    formatTable(
      [
        { header: ['number'], align: 'left' },
        { header: ['value'], align: 'right' },
        { header: ['kind'], align: 'left' },
        { header: ['range'], align: 'left' },
        { header: ['source'], align: 'left' },
      ],
      numbers.map((n) => [n.name, n.value, paint[n.kind](n.kind), n.range ?? '', n.source]),
      { styleHeader: c.bold },
    ),
  );
}
