import type { TopLevelSpec } from 'vega-lite';
import type { Step } from '../experiments/figures/of-step.js';
import { writeFigure } from '../experiments/figures/render.js';
import type { ChipSetup } from '../experiments/lab/setup.js';
import { checkWritableFile } from '../src/util/check-writable.js';
import { type CommandDefinition, defineCommand } from './command.js';
import { chipEffects, namedChip, path, step } from './groups.js';
import type { Context } from './io.js';

/** Where a figure goes. */
export const out = path('path without extension (default: the name of the figure, here)', 'base');

/** Draws and writes a figure as Vega-Lite spec, SVG and PNG. Whether it can be written is seen before the work. */
export async function writeFigureFiles(
  ctx: Context,
  base: string,
  draw: () => TopLevelSpec | Promise<TopLevelSpec>,
): Promise<void> {
  checkWritableFile(`${base}.svg`);
  const files = await writeFigure(base, await draw());
  ctx.data({ files });
  for (const file of files) ctx.print(file);
}

/** The command of a figure that is drawn of one denoising step. @param rows of the step, unless the user says */
export function stepFigure(
  name: string,
  rows: number,
  draw: (chip: ChipSetup, step: Step) => TopLevelSpec,
): CommandDefinition {
  return defineCommand({
    options: {
      rows: step.rows.default(rows),
      context: step.context.default(80),
      out,
      ...namedChip,
    },
    effects: chipEffects,
    examples: [`figure ${name} --profile sm8850 --out fig/${name}`],
    run: (ctx, { rows, context, out: base = name, ...chip }) =>
      writeFigureFiles(ctx, base, () => draw(chip, { rows, context })),
  });
}
