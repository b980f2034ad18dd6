import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { project } from '../../src/util/project-root.js';

const directory = join(project().root, 'cli');
const files = readdirSync(directory, { recursive: true, encoding: 'utf8' }).filter((name) =>
  name.endsWith('.ts'),
);
const text = (name: string): string => readFileSync(join(directory, name), 'utf8');
const LIST = join('commands', 'index.ts');

describe('commands', () => {
  it('have one lazy import each, in their list', () => {
    const lazy = files.filter((name) => name !== LIST && /\bimport\(/.test(text(name)));
    expect(lazy).toEqual([]);
    const loaded = [...text(LIST).matchAll(/import\('\.\/(.+)\.js'\)/g)].map(([, name]) => `${name}.ts`);
    const own = files.filter((name) => name.startsWith('commands') && name !== LIST);
    expect(loaded.sort()).toEqual(
      own.map((name) => name.slice('commands/'.length).replaceAll('\\', '/')).sort(),
    );
  });

  it('are short: what computes is in the rooms that they call', () => {
    const long = files.filter((name) => name.startsWith('commands') && name !== LIST);
    expect(long.filter((name) => text(name).split('\n').length > 150)).toEqual([]);
  });
});
