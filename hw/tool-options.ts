import type { z } from 'zod';
import { UsageError } from '../src/errors.js';

/** Options of a foreign tool, checked before it is started. @throws UsageError naming the tool and the option */
export function toolOptions<T extends z.ZodType>(tool: string, schema: T, options: z.input<T>): z.output<T> {
  const parsed = schema.safeParse(options);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new UsageError(`${tool}: ${issue.path.join('.') || 'options'}: ${issue.message}`);
}
