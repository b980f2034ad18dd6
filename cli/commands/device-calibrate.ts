import { basename, dirname, resolve } from 'node:path';
import { type Command, InvalidArgumentError } from 'commander';
import { createColors } from 'picocolors';
import type { CalibratedProfile } from '../../experiments/calibration/calibrate-record.js';
import { UsageError } from '../../src/errors.js';
import type { ModelConfig } from '../../src/model/config.js';
import type { Quant } from '../../src/model/precision.js';
import { atomicWriteFile } from '../../src/util/atomic-write.js';
import { checkWritableDirectory } from '../../src/util/check-writable.js';
import { formatTable } from '../../src/util/table.js';
import type { Context } from '../io.js';

interface CalibrateOptions {
  readonly base: string;
  readonly stack: string;
  readonly quant: readonly Quant[];
  readonly model?: string;
  readonly name?: string;
  readonly out: string;
}

export function registerDeviceCalibrate(device: Command, context: () => Context): void {
  device
    .command('calibrate')
    .description('turn the operator times of a device into a hardware profile, "measured" where they say so')
    .argument('<records...>', 'run records of one device, of class npu-device, with times of operators')
    .requiredOption('--out <file>', 'profile file that is written')
    .option('--base <name>', 'profile whose numbers are kept where the record says nothing', 'sm8750')
    .option('--stack <name>', 'software that ran, see `hardware stacks`', 'qnn-fp16')
    .option(
      '--quant <formats>',
      'weight format that ran: f16, q8_0, q4_0; one for all records or one each',
      formats,
      ['f16'],
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
        '\n  $ dllm-npu device calibrate q4.json f16.json --stack llama.cpp-hexagon --quant q4_0,f16 --out my-phone.json' +
        '\n  $ dllm-npu simulate step --profile ./my-phone.json',
    )
    .action((records: string[], options: CalibrateOptions) => run(context(), records, options));
}

/** Parser of a list of weight formats. */
function formats(text: string): Quant[] {
  return text.split(',').map((name) => {
    const found = (['f16', 'q8_0', 'q4_0'] as const).find((quant) => quant === name.trim());
    if (found === undefined) throw new InvalidArgumentError('Expected a list of f16, q8_0 and q4_0.');
    return found;
  });
}

async function run(ctx: Context, paths: readonly string[], options: CalibrateOptions): Promise<void> {
  const { out, base: baseName, stack, quant, model, name } = options;
  if (quant.length !== 1 && quant.length !== paths.length) {
    throw new UsageError(
      `--quant names ${quant.length} formats for ${paths.length} records: one for all, or one each`,
    );
  }
  checkWritableDirectory(dirname(resolve(out)));
  const { calibrateRecord } = await import('../../experiments/calibration/calibrate-record.js');
  const { readDeviceRecord } = await import('../../hw/record/device-record.js');
  const { profileText } = await import('../../sim/hardware/load-profile.js');
  const { stackByName } = await import('../../sim/stacks/registry.js');
  const { fileSha256 } = await import('../../src/model/load.js');
  const inputs = await Promise.all(
    paths.map(async (path, at) => ({
      record: await readDeviceRecord(path),
      name: basename(path),
      sha256: await fileSha256(path),
      quant: quant[at] ?? quant[0] ?? 'f16',
    })),
  );
  // A record of compiled graphs names operators and needs the model's shapes; others name the shapes.
  const compiled = inputs.find(({ record }) => record.runs.some(({ bucket }) => bucket !== undefined));
  const config = compiled === undefined ? null : await modelShapes(model ?? compiled.record.model.name);
  const calibrated = calibrateRecord({
    inputs,
    config,
    stack: stackByName(stack),
    baseText: profileText(baseName),
    name: name ?? `${basename(baseName, '.json')}-measured`,
  });
  atomicWriteFile(out, calibrated.text);
  const { numbers, kept, operators, source } = calibrated;
  ctx.data({ schema: 'dllm-npu/calibration', version: 1, out, source, numbers, kept, operators });
  print(ctx, calibrated, out);
}

/** Shapes of a published model, or of a model file. */
async function modelShapes(name: string): Promise<ModelConfig> {
  const { loadModel } = await import('../../src/model/load.js');
  const { isPresetName, resolvePreset } = await import('../../src/model/presets.js');
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
        path,
        figure(before),
        figure(value),
        unitOf(base, path),
        (100 * error).toFixed(1),
        String(n),
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
  time: 'ms',
  rate: 'GB/s',
  frequency: 'GHz',
  timePerByte: 'ms/MB',
  bytes: 'B',
};

function unitOf({ provenance }: CalibratedProfile['base'], path: string): string {
  return UNITS[provenance[path]?.dimension ?? ''] ?? '';
}
