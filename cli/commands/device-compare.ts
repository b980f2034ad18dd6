import { basename, join } from 'node:path';
import type { Command } from 'commander';
import { createColors } from 'picocolors';
import type { ChosenProblems } from '../../experiments/lab/problems.js';
import type { DeviceRecord } from '../../hw/record/device-record.js';
import type { DeviceSession } from '../../hw/session/device-session.js';
import type { EngineComparison } from '../../src/engine/compare/compare-engines.js';
import { CheckError } from '../../src/errors.js';
import { atomicWriteFile } from '../../src/util/atomic-write.js';
import { checkWritableDirectory } from '../../src/util/check-writable.js';
import { project } from '../../src/util/project-root.js';
import { addDeviceOptions, type DeviceOptions, LIBRARIES_HELP, openDevice } from '../device-options.js';
import { gitCommit } from '../git-commit.js';
import type { Context } from '../io.js';
import { number } from '../numbers.js';
import { addProblemOptions, chooseProblems, type ProblemOptions } from '../problem-options.js';
import { progressBar } from '../progress.js';
import { simulateBuckets } from '../simulated-graph.js';

interface DeviceCompareOptions extends ProblemOptions, DeviceOptions {
  readonly nearTie?: number;
  readonly record?: string;
  readonly profile: string;
  readonly stack?: string;
  readonly memory: string;
  readonly out: string;
}

export function registerDeviceCompare(device: Command, context: () => Context): void {
  const command = device
    .command('compare')
    .description('the same passes on the reference, on the simulator and on a device backend, side by side');
  addDeviceOptions(command).option(
    '--near-tie <margin>',
    'logits below which a decision may turn (default: f32 0.001, f16 0.25, w8a16 and w4a16 1)',
    number(0, 100),
  );
  addProblemOptions(command, { n: 1, policy: 'block-kv', genLength: 32 })
    .option('--record <file>', 'run record of class npu-device whose times stand beside the simulated ones')
    .option('--profile <name>', 'chip that is simulated, or path of a profile', 'sm8750')
    .option('--stack <name>', 'stack that is simulated (default: qnn-fp16, or qnn for w8a16 and w4a16)')
    .option('--memory <mode>', 'address window: on-demand, paging, somr, unlimited', 'somr')
    .option('--out <dir>', 'where compare.json, compare.md and record.json go', defaultPlace())
    .addHelpText(
      'after',
      `\n${LIBRARIES_HELP} Every scored pass of the reference is computed by both; then each` +
        '\ndecodes on its own. Times are compared only with those of a device: emulation and CPUs are refused with the reason,' +
        '\nand simulated numbers never fill in. Exits with 1 when a decision differs that was no near-tie.' +
        '\n\nExamples:' +
        '\n  $ dllm-npu device compare' +
        '\n  $ dllm-npu device compare --backend qnn-cpu --n 4' +
        '\n  $ dllm-npu device compare --backend htp --numerics f16 --soc-model 69 --json' +
        '\n  $ dllm-npu device compare --record phone/record.json --profile sm8750',
    )
    .action((options: DeviceCompareOptions) => run(context(), options));
}

/** Lines of a table that a terminal still shows at once. */
const SHOWN_STATES = 40;

function defaultPlace(): string {
  return join(project().root, 'results', 'device-compare', 'latest');
}

async function run(ctx: Context, options: DeviceCompareOptions): Promise<void> {
  checkWritableDirectory(options.out);
  const { readDeviceRecord, writeDeviceRecord } = await import('../../hw/record/device-record.js');
  const { DeviceError } = await import('../../hw/device-error.js');
  const { record: recordPath } = options;
  const timed =
    recordPath === undefined
      ? null
      : { name: basename(recordPath), record: await readDeviceRecord(recordPath) };
  const chosen = await chooseProblems(options);
  const { model } = chosen;
  try {
    const session = await openDevice(ctx, chosen, options);
    let compared: EngineComparison;
    try {
      compared = await compareWith(ctx, session, chosen, options);
    } catch (error) {
      // A refusal is a result as well: the record says of what, and with which libraries.
      const failed = await session.finish(error instanceof DeviceError ? error.failure : null);
      if (error instanceof DeviceError) writeDeviceRecord(join(options.out, 'record.json'), failed);
      throw error;
    }
    await report(ctx, options, chosen, { compared, record: await session.finish(), timed });
  } finally {
    await model.weights.close();
  }
}

async function compareWith(
  ctx: Context,
  { engine }: DeviceSession,
  { model, spec, problems }: ChosenProblems,
  { numerics, genLength, nearTie }: DeviceCompareOptions,
): Promise<EngineComparison> {
  const { NEAR_TIES } = await import('../../hw/compare/verdict.js');
  const { composePolicy } = await import('../../src/decode/method/compose.js');
  const { compareEngines } = await import('../../src/engine/compare/compare-engines.js');
  const { createTfjsEngine } = await import('../../src/engine/tfjs/engine.js');
  const reference = await createTfjsEngine(model.config, model.weights);
  const bar = progressBar(ctx, 'problems');
  try {
    return await compareEngines({
      reference,
      engine,
      policy: composePolicy(spec),
      problems,
      genLength,
      nearTie: nearTie ?? NEAR_TIES[numerics],
      signal: ctx.signal,
      onProgress: (done, total) => bar.update(done, total),
    });
  } finally {
    bar.stop();
    reference.dispose();
  }
}

interface Found {
  readonly compared: EngineComparison;
  readonly record: DeviceRecord;
  readonly timed: { readonly name: string; readonly record: DeviceRecord } | null;
}

async function report(
  ctx: Context,
  options: DeviceCompareOptions,
  { model }: ChosenProblems,
  { compared, record, timed }: Found,
): Promise<void> {
  const { bucketFor, bucketName } = await import('../../hw/graph/buckets.js');
  const { compareReport } = await import('../../hw/compare/report.js');
  const text = await import('../../hw/compare/markdown.js');
  const { writeDeviceRecord } = await import('../../hw/record/device-record.js');
  const { profileHash } = await import('../../sim/hardware/load-profile.js');
  const { fileSha256 } = await import('../../src/model/load.js');
  const { n, firstIndex, seed, genLength, numerics, profile, out } = options;
  const { contextLength } = model.config;
  const buckets = new Map(
    compared.states.map(({ passRows, reads }) => {
      const bucket = bucketFor(passRows, reads, contextLength);
      return [bucketName(bucket), bucket];
    }),
  );
  const found = compareReport({
    compared,
    record,
    timed,
    contextLength,
    genLength,
    gitCommit: gitCommit(),
    numerics,
    simulated: await simulateBuckets(model.config, numerics, [...buckets.values()], options),
    profileSha256: profileHash(profile),
    model: { name: model.config.name, sha256: await fileSha256(model.weightsPath) },
    problems: { n, firstIndex, seed },
  });
  atomicWriteFile(join(out, 'compare.json'), `${JSON.stringify(found, null, 1)}\n`);
  atomicWriteFile(join(out, 'compare.md'), text.compareMarkdown(found));
  writeDeviceRecord(join(out, 'record.json'), record);
  ctx.data(found);
  const { bold } = createColors(ctx.color);
  ctx.print(`${found.device.engine} beside ${found.reference} and ${found.times.machine} (simulated)\n`);
  ctx.print(`${text.terminalTable(text.agreementTable(found), bold)}\n`);
  const states = text.stateTable(found);
  ctx.print(text.terminalTable({ ...states, rows: states.rows.slice(0, SHOWN_STATES) }, bold));
  const more = states.rows.length - SHOWN_STATES;
  ctx.print(more > 0 ? `and ${more} more, see compare.md\n` : '');
  ctx.print(`${text.terminalTable(text.operatorTable(found), bold)}\n`);
  for (const sentence of text.sentences(found)) ctx.print(sentence);
  ctx.note(`written to ${out}: compare.json, compare.md, record.json`);
  if (!found.verdict.agrees) throw new CheckError(`the device differs: ${found.verdict.reasons[0]}`);
}
