import { basename, dirname, resolve } from 'node:path';
import { type Command, Option } from 'commander';
import { createColors } from 'picocolors';
import type { CalibratedProfile } from '../../../experiments/calibration/calibrate-record.js';
import type { ModelConfig } from '../../model/config.js';
import type { Quant } from '../../model/precision.js';
import { atomicWriteFile } from '../../util/atomic-write.js';
import { checkWritableDirectory } from '../../util/check-writable.js';
import { formatTable } from '../../util/table.js';
import type { Context } from '../io.js';

interface CalibrateOptions {
  readonly base: string;
  readonly stack: string;
  readonly quant: Quant;
  readonly model?: string;
  readonly name?: string;
  readonly out: string;
}

export function registerDeviceCalibrate(device: Command, context: () => Context): void {
  device
    .command('calibrate')
    .description('turn the operator times of a device into a hardware profile, "measured" where they say so')
    .argument('<record>', 'run record of class npu-device with times of operators')
    .requiredOption('--out <file>', 'profile file that is written')
    .option('--base <name>', 'profile whose numbers are kept where the record says nothing', 'sm8750')
    .option('--stack <name>', 'software that ran, see `hardware stacks`', 'qnn-fp16')
    .addOption(
      new Option('--quant <format>', 'weight format that ran')
        .choices(['f16', 'q8_0', 'q4_0'])
        .default('f16'),
    )
    .option('--model <name>', 'model whose shapes ran (default: the one that the record names)')
    .option('--name <name>', "name of the profile (default: the base's with -measured)")
    .addHelpText(
      'after',
      '\nLeast squares of the machine model of the stack, on relative errors. A number counts as measured when its standard' +
        '\nerror is at most 10 %; all others keep value, kind and source of the base. Records of an emulation, of reference code' +
        '\nor of a CPU are refused. Exits with 1 when nothing is determined or the model does not fit.' +
        '\n\nExamples:' +
        '\n  $ dllm-npu device calibrate phone/record.json --out my-phone.json' +
        '\n  $ dllm-npu device calibrate bench.json --stack llama.cpp-hexagon --quant q4_0 --out my-phone.json' +
        '\n  $ dllm-npu simulate step --profile ./my-phone.json',
    )
    .action((record: string, options: CalibrateOptions) => run(context(), record, options));
}

async function run(ctx: Context, path: string, options: CalibrateOptions): Promise<void> {
  const { out, base: baseName, stack, quant, model, name } = options;
  checkWritableDirectory(dirname(resolve(out)));
  const { calibrateRecord } = await import('../../../experiments/calibration/calibrate-record.js');
  const { readRunRecord } = await import('../../../hw/record/run-record.js');
  const { profileText } = await import('../../../sim/hardware/load-profile.js');
  const { stackByName } = await import('../../../sim/stacks/registry.js');
  const { fileSha256 } = await import('../../model/load.js');
  const record = await readRunRecord(path);
  // A record of compiled graphs names operators and needs the model's shapes; others name the shapes.
  const compiled = record.runs.some(({ bucket }) => bucket !== undefined);
  const config = compiled ? await modelShapes(model ?? record.model.name) : null;
  const calibrated = calibrateRecord({
    ...{ record, recordName: basename(path), recordSha256: await fileSha256(path), quant },
    baseText: profileText(baseName),
    name: name ?? `${basename(baseName, '.json')}-measured`,
    stack: stackByName(stack),
    config,
  });
  atomicWriteFile(out, calibrated.text);
  const { numbers, kept, operators, source } = calibrated;
  ctx.data({ schema: 'dllm-npu/calibration', version: 1, out, source, numbers, kept, operators });
  print(ctx, calibrated, out);
}

/** Shapes of a published model, or of a model file. */
async function modelShapes(name: string): Promise<ModelConfig> {
  const { loadModel } = await import('../../model/load.js');
  const { isPresetName, resolvePreset } = await import('../../model/presets.js');
  if (isPresetName(name)) return resolvePreset(name);
  const { config, weights } = await loadModel(name);
  await weights.close();
  return config;
}

function print(
  ctx: Context,
  { base, numbers, kept, operators, source }: CalibratedProfile,
  out: string,
): void {
  const figure = (value: number): string => String(Number(value.toPrecision(4)));
  ctx.print(`From ${source}\n`);
  ctx.print(
    formatTable(
      [
        { header: ['number'], align: 'left' },
        { header: [base.name], align: 'right' },
        { header: ['measured'], align: 'right' },
        { header: ['unit'], align: 'left' },
        { header: ['standard', 'error %'], align: 'right' },
        { header: ['n'], align: 'right' },
      ],
      numbers.map(({ path, before, value, error, n }) => [
        ...[path, figure(before), figure(value), unitOf(base, path), (100 * error).toFixed(1), String(n)],
      ]),
      { styleHeader: createColors(ctx.color).bold },
    ),
  );
  const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;
  ctx.print(
    `\n${operators.n} operators: off by ${percent(operators.rmsBefore)} (rms) with the numbers of ${base.name}, by ${percent(operators.rms)} with these, by ${percent(operators.rmsBest)} if all could be chosen`,
  );
  if (operators.opStartUs !== null) {
    ctx.print(
      `An operator starts in ${operators.opStartUs.toFixed(1)} us; that is a number of the stack, not of the profile`,
    );
  }
  for (const { path, because } of kept) ctx.print(`kept from ${base.name}: ${path}, ${because}`);
  ctx.note(`written to ${out}: use it as --profile ${out.includes('/') ? out : `./${out}`}`);
}

const UNITS: Readonly<Record<string, string>> = {
  ...{ time: 'ms', rate: 'GB/s', frequency: 'GHz', timePerByte: 'ms/MB', bytes: 'B' },
};

function unitOf({ provenance }: CalibratedProfile['base'], path: string): string {
  return UNITS[provenance[path]?.dimension ?? ''] ?? '';
}
