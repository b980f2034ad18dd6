import { join } from 'node:path';
import { openModel } from '../experiments/lab/open.js';
import { wrongMeasuredRows } from '../experiments/studies/ladder/measured/check.js';
import { printMeasured } from '../experiments/studies/ladder/measured/print.js';
import { measureLadder } from '../experiments/studies/ladder/measured/run.js';
import { measuredSchema } from '../experiments/studies/ladder/measured/types.js';
import { ABLATION_DEFAULTS } from '../experiments/studies/ladder/options.js';
import { CheckError, UsageError } from '../src/errors.js';
import { atomicWriteFile } from '../src/util/atomic-write.js';
import { gitCommit } from './git-commit.js';
import type { Context } from './io.js';
import { progressBar } from './progress.js';

export interface MeasuredLadderInput {
  readonly model: string;
  readonly device?: string;
  readonly threads?: number;
  readonly profile: string;
  readonly seed: number;
  readonly firstCase: number;
  readonly cases?: number;
  readonly genLength: number;
  readonly blockLength: number;
  readonly out: string;
}

/** `ablate --engine ggml`: the ladder in wall-clock time on a device of this machine, beside the simulated one. */
export async function measuredLadder(ctx: Context, input: MeasuredLadderInput): Promise<void> {
  const { device = 'cpu', threads, profile, seed, firstCase, cases = 1, genLength, blockLength, out } = input;
  if (genLength % blockLength !== 0)
    throw new UsageError(`block length ${blockLength} does not divide the generation length ${genLength}`);
  const model = await openModel(input.model);
  const bar = progressBar(ctx, 'answers', { log: true });
  try {
    const ladder = await measureLadder(
      {
        model,
        modelName: input.model,
        device,
        threads,
        profile,
        seed,
        firstIndex: firstCase,
        prompts: cases,
        genLength,
        blockLength,
        out,
      },
      {
        command: commandOf(input, device, cases),
        gitCommit: gitCommit(),
        signal: ctx.signal,
        onProgress: (done, total) => bar.update(done, total),
      },
    ).finally(() => bar.stop());
    atomicWriteFile(join(out, 'measured.json'), `${JSON.stringify(measuredSchema.parse(ladder), null, 1)}\n`);
    ctx.data(ladder);
    ctx.print(printMeasured(ladder, ctx.color));
    ctx.note(`\nwritten to ${out}: measured.json, ${ladder.devices.map(({ record }) => record).join(', ')}`);
    const wrong = wrongMeasuredRows(ladder.rows);
    if (wrong.length > 0) throw new CheckError(wrong.join('\n'));
  } finally {
    await model.weights.close();
  }
}

function commandOf(input: MeasuredLadderInput, device: string, cases: number): string {
  const { model, threads, profile, seed, firstCase, genLength, blockLength } = input;
  return [
    'dllm-npu ablate --engine ggml',
    ...(model === ABLATION_DEFAULTS.model ? [] : [`--model ${model}`]),
    `--device ${device}`,
    ...(threads === undefined ? [] : [`--threads ${threads}`]),
    `--prompts ${cases} --first-index ${firstCase} --seed ${seed} --profile ${profile}`,
    `--gen-length ${genLength} --block-length ${blockLength}`,
  ].join(' ');
}
