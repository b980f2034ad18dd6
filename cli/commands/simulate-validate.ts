import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from 'commander';
import { createColors } from 'picocolors';
import type { GroupScore } from '../../sim/validation/score.js';
import { UsageError } from '../../src/errors.js';
import { project } from '../../src/util/project-root.js';
import { formatTable } from '../../src/util/table.js';
import type { Context } from '../io.js';

export function registerValidate(simulate: Command, context: () => Context): void {
  simulate
    .command('validate')
    .description('predict published measurements and print the errors')
    .argument('[file]', 'CSV of measurements (default: the shipped open set)')
    .addHelpText(
      'after',
      '\nNothing is fitted: profiles and stacks are taken as shipped, and rules look at what a row says, never at' +
        '\nwhich row it is. A row that cannot be modelled gets no error, and a reason. A lower bound (>=) that a' +
        '\nprediction satisfies has error 0; the last line leaves such rows out.' +
        '\n\nExamples:\n  $ dllm-npu simulate validate\n  $ dllm-npu simulate validate mine.csv --json',
    )
    .action((file: string | undefined) => validate(context(), file));
}

const SHIPPED = 'sim/validation/published-open.csv';

async function validate(ctx: Context, file: string | undefined): Promise<void> {
  const { parsePublished } = await import('../../sim/validation/published.js');
  const { scorePublished } = await import('../../sim/validation/score.js');
  const path = file ?? join(project().root, SHIPPED);
  if (!existsSync(path)) throw new UsageError(`file ${path} does not exist`);
  const { rows, groups, overall, measurements } = scorePublished(
    parsePublished(readFileSync(path, 'utf8'), path),
  );
  const share = rows.length === 0 ? 0 : overall.modelled / rows.length;
  // The shipped file is named as in the repository: the same output on every machine.
  ctx.data({ file: file ?? SHIPPED, rows, groups, overall, measurements, share_modelled: share });
  const { bold: styleHeader } = createColors(ctx.color);
  ctx.print(
    formatTable(
      [
        { header: ['row'], align: 'left' },
        { header: ['predicted'], align: 'right' },
        { header: ['published'], align: 'right' },
        { header: ['unit'], align: 'left' },
        { header: ['error'], align: 'right' },
        { header: ['timed as, or why not'], align: 'left' },
      ],
      rows.map((row) => [
        row.id,
        row.predicted === null ? '' : significant(row.predicted),
        `${row.bound ? '>= ' : ''}${row.published}`,
        row.unit,
        signed(row.error),
        row.as ?? row.reason ?? '',
      ]),
      { styleHeader },
    ),
  );
  ctx.print('');
  ctx.print(
    formatTable(
      [
        { header: ['group'], align: 'left' },
        { header: ['rows'], align: 'right' },
        { header: ['modelled'], align: 'right' },
        { header: ['median |error|'], align: 'right' },
        { header: ['worst'], align: 'left' },
      ],
      [...groups, overall, measurements].map(groupCells),
      { styleHeader },
    ),
  );
}

function groupCells({ group, rows, modelled, median, worst }: GroupScore): string[] {
  const worstText = worst === null ? '' : `${worst.id} ${signed(worst.error)}`;
  return [
    group,
    String(rows),
    String(modelled),
    median === null ? '' : `${(median * 100).toFixed(0)} %`,
    worstText,
  ];
}

function significant(value: number): string {
  return value >= 1000 ? value.toFixed(0) : value.toPrecision(3);
}

function signed(error: number | null): string {
  return error === null ? '' : `${error < 0 ? '-' : '+'}${(Math.abs(error) * 100).toFixed(0)} %`;
}
