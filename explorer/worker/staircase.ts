import { machine } from '../../experiments/library/machine.js';
import type { Model } from '../../experiments/library/model.js';
import { denoisingShape, steadyMs } from '../../sim/workload/steady-step.js';
import type { Setting } from '../setting/setting.js';
import type { StaircaseView } from './view.js';

/** Cached positions behind the rows: those of a decode in its middle. */
const CONTEXT = 128;
/** Rows looked at: the ends of tiles of 16 and 32, where it jumps, and some between. */
const ROWS = [1, 4, 8, 12, 16, 17, 20, 24, 28, 32, 33, 40, 48, 56, 64, 65, 72];

/**
 * The time of a step by its rows on the machine of a setting.
 * @throws UsageError when the model does not fit the address window
 */
export async function staircaseOf(model: Model, setting: Setting): Promise<StaircaseView> {
  const { profile, stack, costModel: shapes, quant, memory, placement, numbers: set } = setting;
  const chip = await machine({ profile, stack, shapes, quant, memory, placement, set }).open(model.config);
  return {
    context: CONTEXT,
    points: ROWS.map((rows) => ({
      rows,
      allLogitsMs: steadyMs(chip, denoisingShape(rows, CONTEXT)),
      oneLogitsMs: steadyMs(chip, denoisingShape(rows, CONTEXT, 1)),
    })),
  };
}
