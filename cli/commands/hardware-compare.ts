import type { Command } from 'commander';
import { createColors } from 'picocolors';
import type { Quantity } from '../../sim/hardware/quantity.js';
import { unknownName } from '../../src/util/nearest.js';
import { formatTable } from '../../src/util/table.js';
import type { Context } from '../io.js';

export function registerHardwareCompare(hardware: Command, context: () => Context): void {
  hardware
    .command('diff')
    .description('the numbers in which two profiles differ')
    .argument('<a>', 'name or path of a profile')
    .argument('<b>', 'name or path of another')
    .addHelpText('after', '\nExample:\n  $ dllm-npu hardware diff sm8650 sm8750')
    .action((a: string, b: string) => diff(context(), a, b));
  hardware
    .command('explain')
    .description('one number: its value, kind, source and note in every profile or stack')
    .argument('<number>', 'e.g. npu.dmaRate, driver.mapPerByte, or cpuThreads of the stacks')
    .addHelpText(
      'after',
      '\nWhat it does to a step: `simulate sensitivity`.\n\nExample:\n  $ dllm-npu hardware explain npu.dmaRate',
    )
    .action((name: string) => explain(context(), name));
  hardware
    .command('stacks')
    .description('list the software stacks')
    .action(async () => {
      const ctx = context();
      const { stackByName, stackNames } = await import('../../sim/stacks/registry.js');
      const stacks = stackNames().map((name) => ({ name, description: stackByName(name).description }));
      ctx.data({ stacks });
      const columns = [
        { header: ['stack'], align: 'left' },
        { header: ['description'], align: 'left' },
      ] as const;
      ctx.print(
        formatTable(
          columns,
          stacks.map(({ name, description }) => [name, description]),
        ),
      );
    });
  hardware
    .command('energy')
    .description('print the numbers of the energy model')
    .action(async () => {
      const ctx = context();
      const { ENERGY_NUMBERS } = await import('../../sim/energy/energy-numbers.js');
      const { provenanceEntries } = await import('../../experiments/studies/ladder/provenance.js');
      const numbers = provenanceEntries(ENERGY_NUMBERS);
      ctx.data({ numbers });
      ctx.print(
        formatTable(
          ['number', 'value', 'kind', 'range', 'source', 'note'].map(
            (header) => ({ header: [header], align: 'left' }) as const,
          ),
          numbers.map((n) => [n.name, n.value, n.kind, n.range ?? '', n.source, n.note ?? '']),
        ),
      );
    });
}

async function diff(ctx: Context, a: string, b: string): Promise<void> {
  const { loadProfile } = await import('../../sim/hardware/load-profile.js');
  const [left, right] = [loadProfile(a), loadProfile(b)];
  const numbers = Object.keys(left.provenance).flatMap((name) => {
    const [x, y] = [left.provenance[name], right.provenance[name]];
    if (x === undefined || y === undefined || x.value === y.value) return [];
    const side = ({ text, kind, source }: Quantity) => ({ value: text, kind, source });
    return [{ name, a: side(x), b: side(y), ratio: x.value === 0 ? null : y.value / x.value }];
  });
  ctx.data({ a: left.name, b: right.name, numbers });
  ctx.print(
    formatTable(
      [
        { header: ['number'], align: 'left' },
        { header: [left.name], align: 'right' },
        { header: ['kind'], align: 'left' },
        { header: [right.name], align: 'right' },
        { header: ['kind'], align: 'left' },
        { header: ['ratio'], align: 'right' },
      ],
      numbers.map((n) => [
        n.name,
        n.a.value,
        n.a.kind,
        n.b.value,
        n.b.kind,
        n.ratio === null ? '' : n.ratio.toFixed(2),
      ]),
      { styleHeader: createColors(ctx.color).bold },
    ),
  );
}

async function explain(ctx: Context, name: string): Promise<void> {
  const { loadProfile, profileNames } = await import('../../sim/hardware/load-profile.js');
  const { stackByName, stackNames } = await import('../../sim/stacks/registry.js');
  const { provenanceEntries } = await import('../../experiments/studies/ladder/provenance.js');
  const tables: { place: string; provenance: Readonly<Record<string, Quantity>> }[] = [
    ...profileNames().map((place) => ({ place, provenance: loadProfile(place).provenance })),
    ...stackNames().map((place) => ({ place, provenance: { ...stackByName(place).provenance } })),
  ];
  const found = tables.flatMap(({ place, provenance }) =>
    provenanceEntries(provenance)
      .filter((entry) => entry.name === name)
      .map((entry) => ({ place, ...entry })),
  );
  if (found.length === 0) {
    throw unknownName('number', name, [
      ...new Set(tables.flatMap(({ provenance }) => Object.keys(provenance))),
    ]);
  }
  ctx.data({ name, values: found });
  ctx.print(
    formatTable(
      ['where', 'value', 'kind', 'range', 'source', 'note'].map(
        (header) => ({ header: [header], align: 'left' }) as const,
      ),
      found.map((n) => [n.place, n.value, n.kind, n.range ?? '', n.source, n.note ?? '']),
      { styleHeader: createColors(ctx.color).bold },
    ),
  );
}
