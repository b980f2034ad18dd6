import type { Command } from 'commander';
import { createColors } from 'picocolors';
import { formatTable } from '../../util/table.js';
import type { Context } from '../io.js';
import { registerDeviceCalibrate } from './device-calibrate.js';
import { registerDeviceClean } from './device-clean.js';
import { registerDeviceCompare } from './device-compare.js';
import { registerDeviceFetch } from './device-fetch.js';
import { registerDeviceGgml } from './device-ggml.js';
import { registerDeviceQnn } from './device-qnn.js';
import { registerDeviceRun } from './device-run.js';

export function registerDevice(program: Command, context: () => Context): void {
  const device = program
    .command('device')
    .description('real devices: what can be run from here, and on what');

  device
    .command('doctor')
    .description('look for phones, libraries and a runtime; say what can be run and what is missing')
    .addHelpText(
      'after',
      '\nChanges nothing. QNN_EP_DIR names the folder of the onnxruntime-qnn package.' +
        '\n\nExamples:\n  $ dllm-npu device doctor\n  $ QNN_EP_DIR=~/qnn/onnxruntime_qnn dllm-npu device doctor --json',
    )
    .action(async () => doctor(context()));
  registerDeviceFetch(device, context);
  registerDeviceRun(device, context);
  registerDeviceCompare(device, context);
  registerDeviceCalibrate(device, context);
  registerDeviceGgml(device, context);
  registerDeviceQnn(device, context);
  registerDeviceClean(device, context);
}

async function doctor(ctx: Context): Promise<void> {
  const { diagnose } = await import('../../../hw/doctor/doctor.js');
  const { LocalRunner } = await import('../../../hw/runner/local-runner.js');
  const diagnosis = await diagnose({ qnnDirectory: ctx.io.env.QNN_EP_DIR, runner: new LocalRunner() });
  ctx.data(diagnosis);
  const c = createColors(ctx.color);
  const paint = { found: c.green, missing: c.yellow, problem: c.red };
  ctx.print(
    formatTable(
      [
        { header: ['part'], align: 'left' },
        { header: ['state'], align: 'left' },
        { header: ['what was seen'], align: 'left' },
      ],
      diagnosis.findings.map(({ what, state, says }) => [what, paint[state](state), says]),
      { styleHeader: c.bold },
    ),
  );
  for (const { name, sha256 } of diagnosis.libraries) ctx.print(`${name}: sha256 ${sha256}`);
  const steps = diagnosis.findings.flatMap(({ what, next }) => (next === null ? [] : [`- ${what}: ${next}`]));
  if (steps.length > 0) ctx.print(`\nWhat to do next:\n${steps.join('\n')}`);
  ctx.print(`\nCan be had here: ${diagnosis.can.join(', ')}. Only npu-device gives device times.`);
}
