import { stepRoofline } from '../../../experiments/figures/of-step.js';
import { stepFigure } from '../../figure-files.js';

export const command = stepFigure('roofline', 32, stepRoofline);
