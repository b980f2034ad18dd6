import type { Command } from 'commander';
import type { Context } from '../io.js';
import { registerAblate } from './ablate.js';
import { registerGenerate } from './generate.js';
import { registerHardware } from './hardware.js';
import { registerPolicies } from './policies.js';
import { registerReport } from './report.js';
import { registerSimulate } from './simulate.js';
import { registerSynth } from './synth.js';
import { registerTrace } from './trace.js';
import { registerTrain } from './train.js';

/**
 * Every command, in the order of the help. Commands load what they need when they run, so that help and small
 * commands stay quick.
 */
export function registerCommands(program: Command, context: () => Context): void {
  registerAblate(program, context);
  registerGenerate(program, context);
  registerPolicies(program, context);
  registerTrace(program, context);
  registerHardware(program, context);
  registerSimulate(program, context);
  registerSynth(program, context);
  registerTrain(program, context);
  registerReport(program, context);
}
