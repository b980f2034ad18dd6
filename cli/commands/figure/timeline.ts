import { stepTimelineFigure } from '../../../experiments/figures/of-step.js';
import { stepFigure } from '../../figure-files.js';

export const command = stepFigure('timeline', 32, stepTimelineFigure);
