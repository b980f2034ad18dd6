import type { Architecture } from './families/index.js';
import type { ModelShape } from './model-shape.js';

/** A model: its shape, and the family that says what its files call things. */
export interface ModelConfig extends ModelShape {
  /** Family. */
  readonly arch: Architecture;
}
