import { dirname, resolve } from 'node:path';
import { createColors } from 'picocolors';
import { z } from 'zod';
import { calibrateFiles } from '../../../experiments/calibration/calibrate-files.js';
import type { CalibratedProfile } from '../../../experiments/calibration/calibrate-record.js';
import { QUANTS } from '../../../src/model/precision.js';
import { atomicWriteFile } from '../../../src/util/atomic-write.js';
import { checkWritableDirectory } from '../../../src/util/check-writable.js';
import { table } from '../../../src/util/table.js';
import { defineCommand } from '../../command.js';
import type { Context } from '../../io.js';

export const command = defineCommand({
  arguments: {
    records: z
      .array(z.string())
      .min(1)
      .describe('run records of one device, of class npu-device, with times of operators'),
  },
  options: {
    out: z.string().min(1).describe('profile file that is written').meta({ value: 'file' }),
    base: z
      .string()
      .min(1)
      .default('sm8750')
      .describe('profile whose numbers are kept where the record says nothing'),
    stack: z.string().min(1).default('qnn-fp16').describe('software that ran, see `hardware stacks`'),
    quant: z
      .array(z.enum(QUANTS).exclude(['f32']))
      .default(['f16'])
      .describe('weight format that ran; one for all records or one each')
      .meta({ value: 'formats' }),
    model: z
      .string()
      .min(1)
      .optional()
      .describe('model whose shapes ran (default: the one that the record names)'),
    name: z.string().min(1).optional().describe("name of the profile (default: the base's with -measured)"),
  },
  notes:
    'Least squares of the machine model of the stack, on relative errors. A number counts as measured when its standard' +
    '\nerror is at most 10 %; all others keep value, kind and source of the base. Records of an emulation, of reference code' +
    '\nor of a CPU are refused. Exits with 1 when nothing is determined or the model does not fit.',
  examples: [
    'device calibrate phone/record.json --out my-phone.json',
    'device calibrate q4.json f16.json --stack llama.cpp-hexagon --quant q4_0,f16 --out my-phone.json',
    'simulate step --profile ./my-phone.json',
  ],
  async run(ctx, { out, ...asked }) {
    checkWritableDirectory(dirname(resolve(out)));
    const calibrated = await calibrateFiles(asked);
    atomicWriteFile(out, calibrated.text);
    const { numbers, kept, operators, source } = calibrated;
    ctx.data({ schema: 'dllm-npu/calibration@1', out, source, numbers, kept, operators });
    print(ctx, calibrated);
    ctx.note(`written to ${out}: use it as --profile ${out.includes('/') ? out : `./${out}`}`);
  },
});

function print(ctx: Context, { base, numbers, kept, operators, source }: CalibratedProfile): void {
  const figure = (value: number): string => String(Number(value.toPrecision(4)));
  ctx.print(`From ${source}\n`);
  ctx.print(
    table(
      ['number', `> ${base.name}`, '> measured', 'unit', '> standard\nerror %', '> n'],
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
