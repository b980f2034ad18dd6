import type { Command } from 'commander';
import type { Context } from '../io.js';
import { registerAblate } from './ablate.js';
import { registerConvert } from './convert.js';
import { registerDevice } from './device.js';
import { registerExplain } from './explain.js';
import { registerFigure } from './figure.js';
import { registerGenerate } from './generate.js';
import { registerHardware } from './hardware.js';
import { registerHvx } from './hvx.js';
import { registerInspect } from './inspect.js';
import { registerLogits } from './logits.js';
import { registerMemory } from './memory.js';
import { registerNumerics } from './numerics.js';
import { registerPolicies } from './policies.js';
import { registerQuality } from './quality.js';
import { registerReport } from './report.js';
import { registerReproduce } from './reproduce.js';
import { registerResults } from './results.js';
import { registerSimulate } from './simulate.js';
import { registerSweep } from './sweep.js';
import { registerSynth } from './synth.js';
import { registerTrace } from './trace.js';
import { registerTrain } from './train.js';
import { registerTune } from './tune.js';
import { registerVerify } from './verify.js';
import { registerWorkload } from './workload.js';

/**
 * Every command, in the order of the help. Commands load what they need when they run, so that help and small
 * commands stay quick.
 */
export function registerCommands(program: Command, context: () => Context): void {
  registerAblate(program, context);
  registerQuality(program, context);
  registerGenerate(program, context);
  registerPolicies(program, context);
  registerTrace(program, context);
  registerVerify(program, context);
  registerNumerics(program, context);
  registerHvx(program, context);
  registerHardware(program, context);
  registerDevice(program, context);
  registerSimulate(program, context);
  registerExplain(program, context);
  registerMemory(program, context);
  registerInspect(program, context);
  registerConvert(program, context);
  registerLogits(program, context);
  registerSynth(program, context);
  registerTrain(program, context);
  registerReproduce(program, context);
  registerWorkload(program, context);
  registerSweep(program, context);
  registerResults(program, context);
  registerTune(program, context);
  registerFigure(program, context);
  registerReport(program, context);
}
