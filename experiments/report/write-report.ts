import { join } from 'node:path';
import { atomicWriteFile } from '../../src/util/atomic-write.js';
import { carpetFigure } from '../figures/carpet.js';
import { writeFigure } from '../figures/formats.js';
import { ladderFigure } from '../figures/ladder.js';
import type { FigureOptions } from '../figures/render.js';
import { timelineFigure } from '../figures/timeline.js';
import type { AblationSummary } from '../studies/ladder/types.js';
import { renderReport } from './page.js';

/**
 * Writes `report.html` and the figures (`ladder`, `carpet-*`, `timeline-*`, each as Vega-Lite spec, SVG, PDF and
 * PNG) into a directory. Returns the paths.
 * @throws EnvironmentError when they cannot be written
 */
export async function writeReport(
  directory: string,
  summary: AblationSummary,
  options: FigureOptions = {},
): Promise<string[]> {
  const paths = await writeFigure(join(directory, 'ladder'), ladderFigure(summary), options);
  for (const carpet of summary.carpet) {
    paths.push(
      ...(await writeFigure(join(directory, `carpet-${slug(carpet.row)}`), carpetFigure(carpet), options)),
    );
  }
  for (const timeline of summary.timeline) {
    paths.push(
      ...(await writeFigure(
        join(directory, `timeline-${slug(timeline.row)}`),
        timelineFigure(timeline),
        options,
      )),
    );
  }
  const page = join(directory, 'report.html');
  atomicWriteFile(page, await renderReport(summary));
  return [...paths, page];
}

/** `+ MBSD` becomes `mbsd`, `CPU + prefix KV` becomes `cpu-prefix-kv`. */
export function slug(name: string): string {
  return name
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-|-$/g, '');
}
