import { stepStaircase } from '../../../experiments/figures/of-step.js';
import { stepFigure } from '../../figure-files.js';

export const command = stepFigure('staircase', 128, stepStaircase);
