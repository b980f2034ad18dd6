import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import { COMMANDS } from '../../cli/commands/index.js';
import { mount } from '../../cli/mount.js';
import { project } from '../../src/util/project-root.js';
import { checkCommand } from '../support/check-command.js';
import { cli } from '../support/run-cli.js';
import { PAGES } from './pages.js';

const { root } = project();

/** Lines of a page that stand in code blocks, fenced or indented, with continued lines joined. */
function codeLines(page: string): string[] {
  const lines: string[] = [];
  let fenced = false;
  for (const line of page.replace(/\\\n\s*/g, ' ').split('\n')) {
    if (/^\s*(```|~~~)/.test(line)) fenced = !fenced;
    else if (fenced || /^ {4,}\S/.test(line)) lines.push(line.trim());
  }
  return lines;
}

/**
 * The program's calls in a line of shell. Settings before it, pipes, redirections and comments are the shell's; prose
 * about a call stands behind it, three spaces apart.
 */
function callsIn(line: string): string[] {
  const code = line.replace(/^\$ /, '').replace(/\s{3,}.*$|(^|\s)#.*$/, '');
  const parts = code.match(/(?:"[^"]*"|'[^']*'|[^"';|&])+/g) ?? [];
  return parts.flatMap((part) => {
    const call = /(?:^|\s)(?:npx\s+)?(dllm-npu(?:\s.*)?)$/.exec(part.trim());
    return call === null ? [] : [call[1]!.replace(/\s>\s*\S+/g, '').trim()];
  });
}

/** Calls in running text and tables: `npx dllm-npu ...` between backquotes. */
function inlineCalls(page: string): string[] {
  return [...page.matchAll(/`npx (dllm-npu [^`]+)`/g)].flatMap(([, call]) => callsIn(call));
}

describe('commands in the documentation', () => {
  it('are found in blocks of both kinds, with what a shell puts around them', () => {
    const page =
      'text dllm-npu no\n\n    QNN_EP_DIR=/x npx dllm-npu device doctor --json | jq .can   # look\n\n```sh\n$ dllm-npu simulate \\\n  step && echo ok\n```\n';
    expect(codeLines(page).flatMap(callsIn)).toEqual([
      'dllm-npu device doctor --json',
      'dllm-npu simulate  step',
    ]);
  });

  it('are refused when they do not exist', () => {
    expect(checkCommand('dllm-npu device compare --backend htp')).toBeNull();
    expect(checkCommand('dllm-npu device compare --backend gpu')).toMatch(/--backend: unknown backend "gpu"/);
    expect(checkCommand('dllm-npu device compare --bakend htp')).toMatch(/no option --bakend/);
    expect(checkCommand('dllm-npu device fly')).toMatch(/dllm-npu device has no command fly/);
    expect(checkCommand('dllm-npu device calibrate record.json')).toMatch(/needs --out/);
    expect(checkCommand('dllm-npu device calibrate --out x')).toMatch(/needs record/);
    expect(checkCommand('dllm-npu simulate step --rows many')).toMatch(/--rows/);
  });

  it.each(PAGES)('%s: every one exists with its options', (page) => {
    const text = readFileSync(join(root, page), 'utf8');
    const calls = [...codeLines(text).flatMap(callsIn), ...inlineCalls(text)];
    const wrong = calls.flatMap((call) => {
      const reason = checkCommand(call);
      // `mine` is what the reader of a how-to page adds.
      return reason === null || reason.includes('"mine"') ? [] : [`${call}: ${reason}`];
    });
    expect(wrong).toEqual([]);
    if (page === 'docs/devices.md') expect(calls.length).toBeGreaterThan(10);
  });
});

const program = new Command();
await mount(program, COMMANDS, null, () => {
  throw new Error('not run');
});

describe('examples in the help', () => {
  const leaves = (command: Command, path: readonly string[]): string[][] =>
    command.commands.length === 0
      ? [[...path]]
      : command.commands.flatMap((child) => leaves(child, [...path, child.name()]));

  it.each(leaves(program, []).map((path) => path.join(' ')))('of %s exist', async (path) => {
    const { stdout } = await cli([...path.split(' '), '--help']);
    const lines = stdout
      .replace(/\\\n\s*/g, ' ')
      .split('\n')
      .filter((line) => /^\s*\$ /.test(line));
    const calls = lines.map((line) => line.trim()).flatMap(callsIn);
    for (const call of calls) expect(checkCommand(call), call).toBeNull();
  });
});
