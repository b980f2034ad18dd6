import { z } from 'zod';
import { writeFigure } from '../experiments/figures/formats.js';
import type { Step } from '../experiments/figures/of-step.js';
import { FIGURE_WIDTHS, type Figure, type FigureWidth } from '../experiments/figures/page.js';
import type { FigureOptions } from '../experiments/figures/render.js';
import type { ChipSetup } from '../experiments/lab/setup.js';
import { checkWritableFile } from '../src/util/check-writable.js';
import { type CommandDefinition, defineCommand } from './command.js';
import { chipEffects, namedChip, path, step } from './groups.js';
import type { Context } from './io.js';

/** Where a figure goes. */
export const out = path('path without extension (default: the name of the figure, here)', 'base');

const PLACES = Object.keys(FIGURE_WIDTHS) as FigureWidth[];

/** How a figure is laid out. */
export const paper = {
  width: z
    .enum(PLACES)
    .default('double')
    .describe(
      'of figures in print: one column (3.33 in) or both (7 in) of a paper, text of 8 pt; or a slide',
    ),
  title: z.boolean().default(true).describe('figures without their title, for a paper with captions'),
};

/** Draws and writes a figure as Vega-Lite spec, SVG, PDF and PNG. Whether it can be written is seen before the work. */
export async function writeFigureFiles(
  ctx: Context,
  base: string,
  options: FigureOptions,
  draw: () => Figure | Promise<Figure>,
): Promise<void> {
  checkWritableFile(`${base}.svg`);
  const files = await writeFigure(base, await draw(), options);
  ctx.data({ files });
  for (const file of files) ctx.print(file);
}

/** The command of a figure that is drawn of one denoising step. @param rows of the step, unless the user says */
export function stepFigure(
  name: string,
  rows: number,
  draw: (chip: ChipSetup, step: Step) => Figure,
): CommandDefinition {
  return defineCommand({
    options: {
      rows: step.rows.default(rows),
      context: step.context.default(80),
      ...paper,
      out,
      ...namedChip,
    },
    effects: chipEffects,
    examples: [
      `figure ${name} --profile sm8850 --out fig/${name}`,
      `figure ${name} --width single --no-title --out paper/${name}`,
    ],
    run: (ctx, { rows, context, width, title, out: base = name, ...chip }) =>
      writeFigureFiles(ctx, base, { width, title }, () => draw(chip, { rows, context })),
  });
}
