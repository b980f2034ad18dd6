import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { policyJsonSchema } from '../../src/decode/spec.js';

interface Node {
  readonly properties?: Readonly<Record<string, Node>>;
  readonly anyOf?: readonly Node[];
  readonly oneOf?: readonly Node[];
  readonly description?: string;
}

/** Every option of the schema, as a path. */
function paths(node: Node, prefix = ''): string[] {
  const inner = [...(node.anyOf ?? []), ...(node.oneOf ?? [])].flatMap((variant) => paths(variant, prefix));
  const own = Object.entries(node.properties ?? {}).flatMap(([key, child]) => {
    const path = prefix === '' ? key : `${prefix}.${key}`;
    return [path, ...paths(child, path)];
  });
  return [...own, ...inner];
}

describe('docs/open-parameters.md', () => {
  const text = readFileSync(new URL('../../docs/open-parameters.md', import.meta.url), 'utf8');

  it('has all 27', () => {
    const numbers = [...text.matchAll(/^\| (\d+) \|/gm)].map((match) => Number(match[1]));
    expect(numbers).toEqual(Array.from({ length: 27 }, (_, index) => index + 1));
  });

  it('names options that exist', () => {
    const known = new Set(paths(policyJsonSchema() as Node));
    const named = [
      ...text.matchAll(/`((?:window|cache|commit|speculate|revise|refresh|final|endOfText)\.[\w.]+)`/g),
    ].map((match) => match[1]);
    expect(named.length).toBeGreaterThan(25);
    for (const path of named) expect(known, path).toContain(path);
  });
});
