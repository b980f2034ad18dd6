import { join } from 'node:path';
import { z } from 'zod';
import { openModel, openSpec } from '../../experiments/lab/open.js';
import { heldoutProblems } from '../../experiments/lab/problems.js';
import { engineDifferences, verifyPolicies } from '../../experiments/lab/verify-policies.js';
import { followModel } from '../../src/decode/method/fits.js';
import { namesThatFit } from '../../src/decode/policies.js';
import { ENGINE_NAMES, type EngineName } from '../../src/engine/registry.js';
import type { PolicyReport } from '../../src/engine/verify/verify-policy.js';
import { CheckError, UsageError } from '../../src/errors.js';
import { atomicWriteFile } from '../../src/util/atomic-write.js';
import { checkWritableDirectory } from '../../src/util/check-writable.js';
import { defineCommand } from '../command.js';
import { engine, engineEffects, path, policies, problems } from '../groups.js';
import { openEngine } from '../open-engine.js';
import { printVerdict, printVerdicts } from '../print-verdict.js';
import { progressBar } from '../progress.js';

const options = {
  ...problems,
  policy: problems.policy.removeDefault().optional(),
  policies: policies.describe('several policies, or `all`: a table of what each preserves'),
  cases: problems.cases.default(4),
  every: z
    .int()
    .min(1)
    .default(1)
    .describe('recompute every n-th step (every token is compared in any case)'),
  ...engine,
  engine: z
    .enum([...ENGINE_NAMES, 'both'])
    .default('tfjs')
    .describe(`${engine.engine.description}; both: tfjs and ort`),
  out: path('where policies.json goes', 'dir'),
};

export const command = defineCommand({
  options,
  effects: [
    ...engineEffects(enginesOf),
    { options: ['out'], when: ({ policies }) => policies !== undefined, because: 'it is of --policies' },
  ],
  notes: 'Exits with 1 on any mismatch.',
  examples: [
    'verify --policy llada.cpp --n 8',
    'verify --policy exact-speculation --n 100 --every 16 --json',
    'verify --policies all --engine both --n 2 --every 16',
  ],
  async run(ctx, input) {
    const {
      policy,
      policies,
      options: changes,
      blockLength,
      cases,
      firstCase,
      seed,
      genLength,
      every,
      out,
    } = input;
    if ((policy === undefined) === (policies === undefined)) {
      throw new UsageError('give --policy NAME, or --policies with several names or all');
    }
    checkWritableDirectory(out);
    const all = policies?.length === 1 && policies[0] === 'all';
    const open = (name: string) => openSpec({ policy: name, options: changes, blockLength });
    // A wrong name is refused before anything is opened.
    const named = policies === undefined ? [open(policy!)] : all ? null : policies.map(open);
    const model = await openModel(input.model);
    const asked = named ?? namesThatFit(model.config).map(open);
    const specs = asked.map((spec) => followModel(spec, model.config, { blockLength, options: changes }));
    const bar = progressBar(ctx, 'problems', { log: specs.length > 1 });
    try {
      const reports = await verifyPolicies({
        model,
        specs,
        engines: enginesOf(input),
        problems: heldoutProblems(model, seed, firstCase, cases),
        genLength,
        every,
        openEngine: (name) => openEngine(ctx, model, { ...input, engine: name }),
        signal: ctx.signal,
        onProgress: (done, total) => bar.update(done, total),
      }).finally(() => bar.stop());
      if (policies === undefined && reports.length === 1) {
        ctx.data(reports[0]);
        printVerdict(ctx, reports[0]);
      } else {
        ctx.data({ policies: reports, enginesDiffer: engineDifferences(reports) });
        if (out !== undefined)
          atomicWriteFile(join(out, 'policies.json'), `${JSON.stringify(reports, null, 1)}\n`);
        printVerdicts(ctx, reports);
      }
      failOnMismatch(reports);
    } finally {
      await model.weights.close();
    }
  },
});

function enginesOf({ engine: name }: { readonly engine: EngineName | 'both' }): readonly EngineName[] {
  return name === 'both' ? ['tfjs', 'ort'] : [name];
}

function failOnMismatch(reports: readonly PolicyReport[]): void {
  const failed = reports.filter(({ mismatches }) => mismatches > 0);
  if (failed.length === 0) return;
  const said = failed.map(
    ({ policy, engine: name, mismatches }) =>
      `${policy} on ${name}: ${mismatches} ${mismatches === 1 ? 'mismatch' : 'mismatches'}`,
  );
  throw new CheckError(said.join(', '));
}
