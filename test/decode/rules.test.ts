import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { RULES } from '../../src/decode/rules/registry.js';

const root = fileURLToPath(new URL('../../', import.meta.url));
const kinds = Object.entries(RULES).flatMap(([kind, registry]) =>
  Object.keys(registry).map((name) => ({ kind, name })),
);

/** Where a rule may be called by its name: policies as data, and what they are compared with. */
const POLICY_DATA = ['src/decode/policies/', 'src/decode/rules/ladder.ts'];

const sources = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' })
  .filter((path) => path.endsWith('.ts'))
  .map((path) => ({ path: `src/${path}`, text: readFileSync(join(root, 'src', path), 'utf8') }))
  .filter(({ path }) => !POLICY_DATA.some((data) => path.startsWith(data)));

describe('what the project knows of a rule', () => {
  it.each(kinds)('$kind $name is in its own file', ({ kind, name }) => {
    const own = `src/decode/rules/${kind}/${name}.ts`;
    const literal = new RegExp(`kind(?::|: z.literal\\(| [!=]==) ?'${name.replace('.', '\\.')}'`);
    // Rules of several kinds may share a name.
    const elsewhere = sources.filter(({ path, text }) => !path.endsWith(`/${name}.ts`) && literal.test(text));
    expect(elsewhere.map(({ path }) => path)).toEqual([]);
    expect(sources.map(({ path }) => path)).toContain(own);
  });

  it('is not asked by kind: rules tell each other facts, not names', () => {
    const asked = /\b(window|cache|commit|speculate|revoke|refresh|final|sampling)\.kind [!=]==/;
    expect(sources.filter(({ text }) => asked.test(text)).map(({ path }) => path)).toEqual([]);
  });
});
