import type { Command } from 'commander';
import { createColors } from 'picocolors';
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
      const specs = (name === undefined ? ALL_POLICY_SPECS : [policySpecByName(name)]).map((spec) =>
        parsePolicySpec(spec),
      );
      ctx.data(name === undefined ? { policies: specs } : specs[0]);
      const c = createColors(ctx.color);
      for (const spec of specs) {
        const { name: title, description, source, ...options } = spec;
        ctx.print(`${c.bold(title)}  ${description}`);
        ctx.print(wrapText(`  source: ${source}`, 100, '  '));
        for (const [option, value] of Object.entries(options)) {
          ctx.print(wrapText(`  ${option}: ${describe(value)}`, 100, '    '));
        }
        ctx.print('');
      }
      if (name === undefined) ctx.print('Reasons for the defaults: dllm-npu policies NAME');
      else await printReasons(ctx, specs[0] as Record<string, unknown>);
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

async function printReasons(ctx: Context, spec: Record<string, unknown>): Promise<void> {
  const { optionReasons } = await import('../policy-reasons.js');
  ctx.print('Why these values:');
  for (const { path, reason } of optionReasons(spec))
    ctx.print(wrapText(`  ${path}: ${reason}`, 100, '    '));
}
