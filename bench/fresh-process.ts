import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { project } from '../src/util/project-root.js';

const { root } = project();

/** What `script` writes to standard output in a fresh process whose `dist` is the folder of the built program. */
export function freshOutput(script: string, ...args: readonly string[]): string {
  const head = `const dist = ${JSON.stringify(new URL(`file://${join(root, 'dist')}/`).href)};`;
  const flags = ['--input-type=module', '-e', `${head}\n${script}`, '--', ...args];
  return execFileSync(process.execPath, flags, { encoding: 'utf8' });
}

export function medianOf(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1];
}
