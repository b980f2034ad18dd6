import { z } from 'zod';
import { UsageError } from '../errors.js';
import { contradictions } from './parts.js';
import { type PolicySpec, policySpecSchema } from './spec-schema.js';

export { type PolicySpec, type PolicySpecInput, policySpecSchema } from './spec-schema.js';

function describeIssue(issue: z.core.$ZodIssue): string {
  const path = issue.path.length > 0 ? issue.path.join('.') : 'spec';
  if (issue.code === 'unrecognized_keys') {
    return `unknown key ${issue.keys.map((key) => `"${key}"`).join(', ')}${issue.path.length > 0 ? ` in ${path}` : ''}`;
  }
  return `${path}: ${issue.message}`;
}

/**
 * Checks and completes a policy.
 * @throws UsageError naming the key that is wrong or the rule that is broken
 */
export function parsePolicySpec(input: unknown): PolicySpec {
  const parsed = policySpecSchema.safeParse(input);
  if (!parsed.success) throw new UsageError(`policy: ${parsed.error.issues.map(describeIssue).join('; ')}`);
  const broken = contradictions(parsed.data);
  if (broken.length > 0) throw new UsageError(`policy ${parsed.data.name}: ${broken.join('; ')}`);
  return parsed.data;
}

/** The schema as JSON Schema, descriptions and defaults included: the reference of all options. */
export function policyJsonSchema(): Record<string, unknown> {
  return z.toJSONSchema(policySpecSchema, { io: 'input' });
}
