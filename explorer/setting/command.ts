import type { Setting } from './setting.js';

/** Fields that `generate` has under the same name, and are written only where they differ from the default. */
const PLAIN = ['costModel', 'quant', 'stack', 'memory'] as const;
const USUAL: Readonly<Record<(typeof PLAIN)[number], string>> = {
  costModel: 'llada-8b',
  quant: 'q4_0',
  stack: 'llada.cpp',
  memory: 'somr',
};

/** Arguments of `dllm-npu` that decode the same tokens, and time them alike. */
export function commandArguments(setting: Setting): string[] {
  const { problem, prompt, policy, options, blockLength, genLength, profile, placement, numbers } = setting;
  const args = ['generate'];
  if (prompt === null) args.push('--problem', String(problem));
  else args.push('--prompt', prompt);
  args.push('--policy', policy);
  for (const [path, value] of Object.entries(options)) args.push('--option', `${path}=${written(value)}`);
  if (blockLength !== null) args.push('--block-length', String(blockLength));
  args.push('--gen-length', String(genLength), '--machine', profile);
  for (const field of PLAIN)
    if (setting[field] !== USUAL[field]) args.push(flagOf(field), String(setting[field]));
  if (placement !== 'global' && setting.memory === 'somr') args.push('--placement', placement);
  for (const [name, value] of Object.entries(numbers)) args.push('--set', `${name}=${written(value)}`);
  return args;
}

/** The same as a line for a POSIX shell. */
export function commandLine(setting: Setting): string {
  return ['npx dllm-npu', ...commandArguments(setting).map(quoted)].join(' ');
}

/** A text that reads as JSON would come back as something else: it is written as JSON itself. */
function written(value: unknown): string {
  if (typeof value !== 'string') return JSON.stringify(value);
  try {
    JSON.parse(value);
    return JSON.stringify(value);
  } catch {
    return value;
  }
}

function quoted(text: string): string {
  return /^[\w./:=@+-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}

function flagOf(field: string): string {
  return `--${field.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}
