import { z } from 'zod';

/** A recorded decode, and the model it is of. */
export const tracePath = z.string().min(1).describe('trace of `generate --trace`');
export const recordedModel = z
  .string()
  .min(1)
  .default('tiny-llada')
  .describe('model of the trace: shipped, directory or .gguf file');
