import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { type ReproduceResult, readResult } from '../comparison/result.js';
import { withWords } from '../comparison/run.js';
import { carpetFigure } from '../figures/carpet.js';
import { ladderFigure } from '../figures/ladder.js';
import { summaryWaterfall } from '../figures/of-files.js';
import { stepRoofline, stepStaircase, stepTornado } from '../figures/of-step.js';
import type { Figure } from '../figures/page.js';
import { timelineFigure } from '../figures/timeline.js';
import { chipSchema } from '../lab/setup.js';
import { paperTable } from '../paper/numbers.js';
import { readSummary } from '../studies/ladder/summary-file.js';
import { STUDIES, STUDY_NAMES } from '../studies/registry.js';
import { slug } from './write-report.js';

export interface StoredFigure {
  /** Where its files are, without extension, under the directory of results. */
  readonly base: string;
  readonly figure: Figure;
}

/**
 * Every figure of a directory of results, drawn again from what is stored: nothing is decoded. Those of one step are
 * timed anew, which takes a second.
 * @throws EnvironmentError and DataError as reading the results
 */
export async function storedFigures(directory: string): Promise<StoredFigure[]> {
  const found: StoredFigure[] = [];
  for (const name of STUDY_NAMES) {
    const path = join(directory, 'reproduce', name, 'result.json');
    if (existsSync(path))
      found.push({ base: join('reproduce', name, 'figure'), figure: await ofResult(readResult(path)) });
  }
  const ablation = join(directory, 'ablation', 'summary.json');
  if (existsSync(ablation)) {
    const summary = readSummary(ablation);
    found.push({ base: join('ablation', 'ladder'), figure: ladderFigure(summary) });
    for (const carpet of summary.carpet)
      found.push({ base: join('ablation', `carpet-${slug(carpet.row)}`), figure: carpetFigure(carpet) });
    for (const timeline of summary.timeline)
      found.push({
        base: join('ablation', `timeline-${slug(timeline.row)}`),
        figure: timelineFigure(timeline),
      });
    found.push({ base: join('figures', 'waterfall'), figure: summaryWaterfall(ablation) });
  }
  if (existsSync(join(directory, 'figures')) && readdirSync(join(directory, 'figures')).length > 0) {
    const chip = chipSchema.parse({});
    found.push(
      { base: join('figures', 'roofline'), figure: stepRoofline(chip, { rows: 32, context: 80 }) },
      { base: join('figures', 'staircase'), figure: stepStaircase(chip, { rows: 128, context: 80 }) },
      { base: join('figures', 'tornado'), figure: stepTornado(chip, { rows: 32, context: 80 }) },
    );
  }
  return found;
}

/** The figure of a study from its result; what was published is left out where it was of the run too. */
async function ofResult(result: ReproduceResult): Promise<Figure> {
  const study = await STUDIES[result.name as keyof typeof STUDIES]();
  const published =
    Object.keys(result.published).length > 0 || study.paper === null
      ? result.published
      : Object.fromEntries(
          Object.entries(paperTable(study.paper).columns).map(([name, column]) => [
            name,
            (column as readonly unknown[]).map((each) => (typeof each === 'string' ? each : null)),
          ]),
        );
  const tokens = String(result.conditions?.run.genLength ?? 128);
  return withWords(
    study.figure({ ...result.measured, ...result.derived } as never, published as never),
    (text) => text.replaceAll('{tokens}', tokens),
  );
}
