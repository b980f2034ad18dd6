import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { hasGgml, PACKAGE_VERSION } from '../../src/engine/ggml/package.js';
import { project } from '../../src/util/project-root.js';
import { cli } from '../support/run-cli.js';
import { temporaryDirectory } from '../support/temporary-directory.js';

const { root } = project();
const page = readFileSync(join(root, 'docs/howto/ggml.md'), 'utf8');

/** Commands for a phone, as they are typed there but for the model, the device, and how much is asked; each kind once. */
function commandsOf(): string[][] {
  const named: Record<string, string> = { $MODEL: 'tiny-llada', $DEVICE: 'cpu', $CHIP: 'sm8750' };
  const lines = page.match(/^ {4}npx dllm-npu .*$/gm) ?? [];
  const found = new Map<string, string[]>();
  for (const line of lines) {
    const words = line
      .replace(/\s#.*$/, '')
      .trim()
      .split(/\s+/)
      .slice(2)
      .map((word) => named[word] ?? word);
    const decodes = words.includes('--profile');
    const threads = words.includes('doctor') ? [] : ['--threads', '1'];
    const less = [...threads, ...(decodes ? ['--gen-length', '16', '--block-length', '8'] : [])];
    // The last of an option given twice counts.
    found.set(words.slice(0, 2).join(' '), [...words, ...less]);
  }
  return [...found.values()];
}

describe('the page about ggml', () => {
  it('names the release that is installed', () => {
    expect(page).toContain(PACKAGE_VERSION);
    const built = join(root, 'node_modules/@node-llama-cpp/linux-x64/bins/linux-x64/_nlcBuildMetadata.json');
    if (!hasGgml() || process.platform !== 'linux' || process.arch !== 'x64') return;
    const { buildOptions } = JSON.parse(readFileSync(built, 'utf8'));
    expect(page).toContain(`--branch ${buildOptions.llamaCpp.release} `);
  });

  const commands = commandsOf();
  it('has commands for a phone', () => expect(commands.length).toBe(4));

  it.skipIf(!hasGgml()).each(commands.map((words) => [words.join(' '), words] as const))(
    'dllm-npu %s',
    { timeout: 60_000 },
    async (_, words) => {
      const out = temporaryDirectory();
      const own = words.map((word, at) => (words[at - 1] === '--out' ? out : word));
      expect(await cli(own)).toMatchObject({ code: 0 });
    },
  );
});
