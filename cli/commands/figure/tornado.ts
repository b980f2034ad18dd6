import { stepTornado } from '../../../experiments/figures/of-step.js';
import { stepFigure } from '../../figure-files.js';

export const command = stepFigure('tornado', 32, stepTornado);
