import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');

/**
 * Who may import whom: src says what is computed, sim says when, hw says for real, experiments say why.
 * cli is the top floor: it may import everything, and nothing imports it.
 */
const ALLOWED: Record<string, readonly string[]> = {
  src: ['src'],
  sim: ['sim', 'src'],
  hw: ['hw', 'src'],
  experiments: ['experiments', 'src', 'sim', 'hw'],
  cli: ['cli', 'src', 'sim', 'hw', 'experiments'],
};

/** Layers inside src, lowest first: a file may import its own layer and lower ones (types may look up). */
const LAYERS = ['errors', 'util', 'pass', 'model', 'onnx', 'decode', 'engine', 'score', 'train'];

function area(path: string): string {
  return path.split(sep)[0];
}

interface Import {
  readonly from: string;
  readonly to: string;
  readonly typeOnly: boolean;
  readonly dynamic: boolean;
}

function importsOf(file: string): Import[] {
  const text = readFileSync(join(root, file), 'utf8');
  const found: Import[] = [];
  const pattern =
    /(?:^|\n)\s*(import|export)\s+(type\s)?[^'";]*?from\s*'(\.[^']+)'|import\(\s*'(\.[^']+)'\s*\)/g;
  for (const match of text.matchAll(pattern)) {
    const specifier = match[3] ?? match[4];
    found.push({
      from: file,
      to: relative(root, normalize(join(root, dirname(file), specifier))),
      typeOnly: match[2] !== undefined,
      dynamic: match[4] !== undefined,
    });
  }
  return found;
}

function sources(folder: string): string[] {
  if (!existsSync(join(root, folder))) return [];
  return readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => join(folder, name));
}

const imports = ['cli', 'src', 'sim', 'hw', 'experiments'].flatMap((folder) =>
  sources(folder).flatMap(importsOf),
);

describe('import direction', () => {
  it('reads imports at all', () => {
    expect(imports.length).toBeGreaterThan(20);
  });

  it('goes only src <- sim, hw <- experiments <- cli', () => {
    const wrong = imports.filter((i) => !ALLOWED[area(i.from)]?.includes(area(i.to)));
    expect(wrong).toEqual([]);
  });

  it('loads hw only when a command runs', () => {
    const loads = imports.filter((i) => area(i.from) === 'cli' && area(i.to) === 'hw');
    expect(loads.length).toBeGreaterThan(0);
    expect(loads.filter((i) => !i.dynamic && !i.typeOnly)).toEqual([]);
  });

  it('goes only down the layers of src', () => {
    const layer = (path: string): number => LAYERS.indexOf(path.split(sep)[1].replace(/\.(ts|js)$/, ''));
    const inSrc = imports.filter((i) => i.from.startsWith(`src${sep}`) && i.to.startsWith(`src${sep}`));
    const unknown = inSrc.filter((i) => layer(i.from) < 0 || layer(i.to) < 0);
    expect(unknown).toEqual([]);
    // An interface may name the data of a higher layer (Engine runs a Pass); running code may not.
    const wrong = inSrc.filter((i) => !i.typeOnly && layer(i.from) < layer(i.to));
    expect(wrong).toEqual([]);
  });
});
