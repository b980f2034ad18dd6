import type { Command } from 'commander';
import { createColors } from 'picocolors';
import type { PolicySpec } from '../../src/decode/spec.js';
import { wrapText } from '../../src/util/table.js';
import type { Context } from '../io.js';

export function registerPolicies(program: Command, context: () => Context): void {
  program
    .command('policies')
    .description('list the decoding methods, their rules, defaults and sources')
    .argument('[name]', 'print one method with every option')
    .option('--schema', 'print the JSON Schema of policy files: every option, default and reason')
    .addHelpText(
      'after',
      '\nExamples:\n  $ dllm-npu policies\n  $ dllm-npu policies llada.cpp\n  $ dllm-npu policies --json\n  $ dllm-npu policies --schema > policy.schema.json',
    )
    .action(async (name: string | undefined, options: { readonly schema?: boolean }) => {
      const ctx = context();
      if (options.schema === true) {
        const { policyJsonSchema } = await import('../../src/decode/spec.js');
        const schema = policyJsonSchema();
        ctx.data(schema);
        ctx.print(JSON.stringify(schema, null, 1));
        return;
      }
      const { ALL_POLICY_SPECS, policySpecByName } = await import('../../src/decode/policies.js');
      const { parsePolicySpec } = await import('../../src/decode/spec.js');
      if (name === undefined) {
        const specs = ALL_POLICY_SPECS.map(parsePolicySpec);
        ctx.data({ policies: specs });
        printList(ctx, specs);
        return;
      }
      const spec = parsePolicySpec(policySpecByName(name));
      ctx.data(spec);
      await printPolicy(ctx, spec);
    });
}

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
async function printPolicy(ctx: Context, spec: PolicySpec): Promise<void> {
  const { optionReasons } = await import('../policy-reasons.js');
  const { describeGivenUp } = await import('../../src/decode/parts.js');
  const { name, description, source, ...options } = spec;
  const line = (text: string): void => ctx.print(wrapText(`  ${text}`, 100, '    '));
  ctx.print(`${createColors(ctx.color).bold(name)}  ${description}`);
  line(`source: ${source}`);
  for (const given of describeGivenUp(spec)) line(given);
  for (const [option, value] of Object.entries(options)) line(`${option}: ${describe(value)}`);
  ctx.print('\nWhy these values:');
  for (const { path, reason } of optionReasons(spec)) line(`${path}: ${reason}`);
}
