import { MEMORY_MODES } from '../../sim/memory/runtime.js';
import { denoisingShape, steadyMs } from '../../sim/workload/steady-step.js';
import { openMachine } from '../lab/open.js';
import type { ChipSetup } from '../lab/setup.js';
import { stepTimeline } from '../studies/ladder/step-timeline.js';
import { rooflineOf, tornadoOf } from './machine-data.js';
import type { Figure } from './page.js';
import { roofline } from './roofline.js';
import { staircase } from './staircase.js';
import { timelineFigure } from './timeline.js';
import { tornado } from './tornado.js';
import { chipWords, memoryWords, modelWords, quantWords } from './words.js';

/** One denoising step: its rows, on so many cached prefix positions. */
export interface Step {
  readonly rows: number;
  readonly context: number;
}

export function stepRoofline(chip: ChipSetup, { rows, context }: Step): Figure {
  return roofline(rooflineOf(openMachine(chip), rows, context));
}

/** Time of a step by its rows, from 1 up, under every memory runtime. */
export function stepStaircase(chip: ChipSetup, { rows, context }: Step): Figure {
  const points = MEMORY_MODES.flatMap((memory) => {
    const machine = openMachine({ ...chip, memory });
    return Array.from({ length: rows }, (_, i) => ({
      rows: i + 1,
      ms: steadyMs(machine, denoisingShape(i + 1, context)),
      series: memoryWords(memory),
    }));
  });
  const { costModel, quant, profile, stack } = chip;
  const { matrixTile } = openMachine(chip).options.profile.npu;
  return staircase(points, matrixTile, {
    title: `Time of a denoising step by its rows: ${modelWords(costModel)} ${quantWords(quant)} on ${chipWords(profile)} (${stack})`,
    subtitle: `simulated, over ${context} cached positions, by how weights beyond the address window come in`,
  });
}

/** The step at both ends of every number of chip and software that was not measured. */
export function stepTornado(chip: ChipSetup, { rows, context }: Step): Figure {
  const { rows: bars, base, without } = tornadoOf(openMachine(chip), rows, context);
  return tornado(bars, base, {
    title: `What the unmeasured numbers matter: a step of ${rows} rows, ${modelWords(chip.costModel)} on ${chipWords(chip.profile)}`,
    subtitle: `${base.toFixed(1)} ms at the defaults; ${without} more numbers change less or nothing`,
    x: 'simulated time of one step, ms',
  });
}

/** Who is busy when in the second of two equal steps, which finds mapped what stays mapped. */
export function stepTimelineFigure(chip: ChipSetup, { rows, context }: Step): Figure {
  const machine = openMachine(chip, { record: true });
  for (let step = 0; step < 2; step++) machine.timePass(denoisingShape(rows, context));
  const row = `${modelWords(chip.costModel)} on ${chipWords(chip.profile)} (${chip.stack}, ${memoryWords(chip.memory)})`;
  return timelineFigure(
    stepTimeline(machine.timeline(), 1, { row, prompt: 0 }),
    `Who is busy when: ${row}, one step of ${rows} rows over ${context} positions`,
  );
}
