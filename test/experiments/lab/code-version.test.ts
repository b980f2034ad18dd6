import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { CODE_FOLDERS, codeVersion, hashCode } from '../../../experiments/lab/code-version.js';
import { project } from '../../../src/util/project-root.js';
import { temporaryDirectory } from '../../support/temporary-directory.js';

/** A tree of one code file and one data file a folder, and what is hashed of it when some files are other. */
function treeWith(changes: Readonly<Record<string, string>> = {}): string {
  const root = temporaryDirectory();
  const files: Record<string, string> = {};
  for (const folder of CODE_FOLDERS) {
    files[`${folder}/deep/code.ts`] = 'export const a = 1;';
    files[`${folder}/data.json`] = '{"a":1}';
  }
  for (const [name, text] of Object.entries({ ...files, ...changes })) {
    mkdirSync(dirname(join(root, name)), { recursive: true });
    writeFileSync(join(root, name), text);
  }
  return hashCode(root, root, '.ts');
}

describe('the code of a run', () => {
  it('is that of decoding, of machines and of the lab', () => {
    expect([...CODE_FOLDERS].sort()).toEqual(['experiments/lab', 'sim', 'src']);
  });

  it.each(CODE_FOLDERS)('%s: other code or data is another address', (folder) => {
    const before = treeWith();
    expect(treeWith()).toBe(before);
    expect(treeWith({ [`${folder}/deep/code.ts`]: 'export const a = 2;' })).not.toBe(before);
    expect(treeWith({ [`${folder}/data.json`]: '{"a":2}' })).not.toBe(before);
    expect(treeWith({ [`${folder}/deep/more.ts`]: '' })).not.toBe(before);
    // Moved text is other code, too.
    expect(
      treeWith({ [`${folder}/deep/code.ts`]: '', [`${folder}/deep/more.ts`]: 'export const a = 1;' }),
    ).not.toBe(before);
  });

  it('is not what a run names among its inputs, nor declarations, nor other folders', () => {
    const before = treeWith();
    for (const name of [
      'sim/hardware/profiles/sm8750.json',
      'experiments/lab/deciders/synthetic/fitted.json',
      'src/deep/code.d.ts',
      'cli/main.ts',
      'src/notes.md',
    ])
      expect(treeWith({ [name]: '{}' }), name).toBe(before);
  });

  it('is hashed of this tree', () => {
    const { root } = project();
    expect(codeVersion()).toBe(hashCode(root, root, '.ts'));
    expect(codeVersion()).toMatch(/^[0-9a-f]{64}$/);
  });
});
