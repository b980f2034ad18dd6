import type { Command } from 'commander';
import type { Context } from '../io.js';
import { registerDeviceCalibrate } from './device-calibrate.js';
import { registerDeviceClean } from './device-clean.js';
import { registerDeviceCompare } from './device-compare.js';
import { registerDeviceDoctor } from './device-doctor.js';
import { registerDeviceFetch } from './device-fetch.js';
import { registerDeviceGgml } from './device-ggml.js';
import { registerDeviceQnn } from './device-qnn.js';
import { registerDeviceRun } from './device-run.js';

export function registerDevice(program: Command, context: () => Context): void {
  const device = program
    .command('device')
    .description('real devices: what can be run from here, and on what');

  registerDeviceDoctor(device, context);
  registerDeviceFetch(device, context);
  registerDeviceRun(device, context);
  registerDeviceCompare(device, context);
  registerDeviceCalibrate(device, context);
  registerDeviceGgml(device, context);
  registerDeviceQnn(device, context);
  registerDeviceClean(device, context);
}
