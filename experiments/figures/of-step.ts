import type { TopLevelSpec } from 'vega-lite';
import { MEMORY_MODES } from '../../sim/memory/runtime.js';
import { denoisingShape, steadyMs } from '../../sim/workload/steady-step.js';
import { openMachine } from '../lab/open.js';
import type { ChipSetup } from '../lab/setup.js';
import { stepTimeline } from '../studies/ladder/step-timeline.js';
import { rooflineOf, tornadoOf } from './machine-data.js';
import { roofline } from './roofline.js';
import { staircase } from './staircase.js';
import { timelineSpec } from './timeline.js';
import { tornado } from './tornado.js';

/** One denoising step: its rows, on so many cached prefix positions. */
export interface Step {
  readonly rows: number;
  readonly context: number;
}

export function stepRoofline(chip: ChipSetup, { rows, context }: Step): TopLevelSpec {
  return roofline(rooflineOf(openMachine(chip), rows, context));
}

/** Time of a step by its rows, from 1 up, under every memory runtime. */
export function stepStaircase(chip: ChipSetup, { rows, context }: Step): TopLevelSpec {
  const points = MEMORY_MODES.flatMap((memory) => {
    const machine = openMachine({ ...chip, memory });
    return Array.from({ length: rows }, (_, i) => ({
      rows: i + 1,
      ms: steadyMs(machine, denoisingShape(i + 1, context)),
      series: memory,
    }));
  });
  const { costModel, quant, profile, stack } = chip;
  const { matrixTile } = openMachine(chip).options.profile.npu;
  return staircase(
    points,
    matrixTile,
    `One denoising step of ${costModel} ${quant} on ${profile} (${stack}), simulated`,
  );
}

/** The step at both ends of every number of chip and software that was not measured. */
export function stepTornado(chip: ChipSetup, { rows, context }: Step): TopLevelSpec {
  const { rows: bars, base, without } = tornadoOf(openMachine(chip), rows, context);
  return tornado(bars, base, {
    title: `${chip.costModel} on ${chip.profile}, ${rows} rows: ${base.toFixed(1)} ms at the defaults`,
    x: `simulated ms for one step; ${without} more numbers change less or nothing`,
  });
}

/** Who is busy when in the second of two equal steps, which finds mapped what stays mapped. */
export function stepTimelineFigure(chip: ChipSetup, { rows, context }: Step): TopLevelSpec {
  const machine = openMachine(chip, { record: true });
  for (let step = 0; step < 2; step++) machine.timePass(denoisingShape(rows, context));
  const row = `${chip.costModel} on ${chip.profile} (${chip.stack}, ${chip.memory})`;
  return timelineSpec(
    stepTimeline(machine.timeline(), 1, { row, prompt: 0 }),
    `${row}: one step of ${rows} rows over ${context} positions`,
  );
}
