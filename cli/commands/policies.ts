import { createColors } from 'picocolors';
import { z } from 'zod';
import { optionReasons } from '../../src/decode/option-reasons.js';
import { describeGivenUp } from '../../src/decode/parts.js';
import { ALL_POLICY_SPECS, policySpecByName } from '../../src/decode/policies.js';
import { type PolicySpec, parsePolicySpec, policyJsonSchema } from '../../src/decode/spec.js';
import { wrapText } from '../../src/util/table.js';
import { defineCommand } from '../command.js';
import { flag } from '../groups.js';
import type { Context } from '../io.js';

export const command = defineCommand({
  arguments: { name: z.string().optional().describe('print one method with every option') },
  options: {
    schema: flag('print the JSON Schema of policy files: every option, default and reason'),
  },
  examples: ['policies', 'policies llada.cpp', 'policies --json', 'policies --schema > policy.schema.json'],
  run(ctx, { name, schema }) {
    if (schema) {
      const json = policyJsonSchema();
      ctx.data(json);
      ctx.print(JSON.stringify(json, null, 1));
    } else if (name === undefined) {
      const specs = ALL_POLICY_SPECS.map(parsePolicySpec);
      ctx.data({ policies: specs });
      printList(ctx, specs);
    } else {
      const spec = parsePolicySpec(policySpecByName(name));
      ctx.data(spec);
      printPolicy(ctx, spec);
    }
  },
});

/** `sliding (size null, past visible)` rather than JSON: read by people. */
function describe(value: unknown): string {
  if (typeof value !== 'object' || value === null) return String(value);
  const { kind, ...rest } = value as Record<string, unknown>;
  const parts = Object.entries(rest).map(([key, inner]) => `${key} ${describe(inner)}`);
  const body = parts.join(', ');
  if (kind === undefined) return parts.length === 0 ? 'on' : `{${body}}`;
  return parts.length === 0 ? String(kind) : `${String(kind)} (${body})`;
}

/** One line a policy. */
function printList(ctx: Context, specs: readonly PolicySpec[]): void {
  const { bold } = createColors(ctx.color);
  const width = Math.max(...specs.map(({ name }) => name.length));
  for (const { name, description } of specs) ctx.print(`${bold(name.padEnd(width))}  ${description}`);
  ctx.print('\nRules, options, reasons and sources: dllm-npu policies NAME');
}

/** Everything about one policy, with the reason for every option's default. */
function printPolicy(ctx: Context, spec: PolicySpec): void {
  const { name, description, source, ...options } = spec;
  const line = (text: string): void => ctx.print(wrapText(`  ${text}`, 100, '    '));
  ctx.print(`${createColors(ctx.color).bold(name)}  ${description}`);
  line(`source: ${source}`);
  for (const given of describeGivenUp(spec)) line(given);
  for (const [option, value] of Object.entries(options)) line(`${option}: ${describe(value)}`);
  ctx.print('\nWhy these values:');
  for (const { path, reason } of optionReasons(spec)) line(`${path}: ${reason}`);
}
