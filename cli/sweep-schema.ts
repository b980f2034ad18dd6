import { sweepJsonSchema } from '../experiments/lab/sweep-schema.js';
import type { Context } from './io.js';

/** Prints what can be in a sweep file: the same with and without `--json`. */
export async function showSweepSchema(ctx: Context): Promise<void> {
  const schema = await sweepJsonSchema();
  ctx.data(schema);
  ctx.print(JSON.stringify(schema, null, 2));
}
