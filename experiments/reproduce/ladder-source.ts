import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { DataError } from '../../src/errors.js';
import { project } from '../../src/util/project-root.js';
import { ABLATION_DEFAULTS } from '../ablation/options.js';
import { runAblation } from '../ablation/run.js';
import { readSummary } from '../ablation/summary-file.js';
import type { AblationSummary } from '../ablation/types.js';
import type { Bench } from './bench.js';

export interface LadderSource {
  readonly summary: AblationSummary;
  /** Where it came from, for the notes of a result. */
  readonly origin: string;
}

/**
 * The ladder to compare with Table 6: the file that was asked for; else a result in results/ that was made with
 * this model and this chip; else a new run.
 */
export async function findLadder(bench: Bench): Promise<LadderSource> {
  const { options, hooks } = bench;
  if (options.summary !== null) {
    const summary = readSummary(options.summary);
    return { summary, origin: `read from a file: ${summary.command}` };
  }
  const modelSha256 = await bench.modelSha256();
  for (const place of ['latest', 'reference']) {
    const path = join(project().root, 'results', ...directories(place), 'summary.json');
    if (!existsSync(path)) continue;
    const summary = readIfCurrent(path);
    if (summary !== null && matches(summary, bench, modelSha256))
      return { summary, origin: `taken from results/: ${summary.command}` };
  }
  const { model, costModel, quant, profile, seed, prompts, genLength } = options;
  const summary = await runAblation(
    { ...ABLATION_DEFAULTS, model, costModel, quant, profile, seed, prompts, genLength, verifyPrompts: 0 },
    hooks,
  );
  return { summary, origin: `run now: ${summary.command}` };
}

/** Null for a file that an older version of the program wrote. */
function readIfCurrent(path: string): AblationSummary | null {
  try {
    return readSummary(path);
  } catch (error) {
    if (error instanceof DataError) return null;
    throw error;
  }
}

function directories(place: string): string[] {
  return place === 'latest' ? ['ablation', 'latest'] : ['reference', 'ablation'];
}

function matches(summary: AblationSummary, bench: Bench, modelSha256: string): boolean {
  const { costModel, quant, genLength } = bench.options;
  return (
    summary.model.sha256 === modelSha256 &&
    summary.profile.sha256 === bench.profileSha256 &&
    summary.costModel.name === costModel &&
    summary.costModel.quant === quant &&
    summary.prompts.genLength === genLength
  );
}
