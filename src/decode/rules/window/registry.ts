import { block } from './block.js';
import { canvas } from './canvas.js';
import { next } from './next.js';
import { perBlock } from './per-block.js';
import { selfSpeculation } from './self-speculation.js';
import { sliding } from './sliding.js';
import { streaming } from './streaming.js';

/** Which rows a denoising pass computes. */
export const WINDOWS = {
  canvas,
  block,
  sliding,
  'per-block': perBlock,
  next,
  'self-speculation': selfSpeculation,
  streaming,
};
