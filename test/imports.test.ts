import { describe, expect, it } from 'vitest';
import { cycles, dangling, type Import, moduleGraph, reachable } from './support/module-graph.js';

/**
 * Who may import whom: src says what is computed, sim says when, hw says for real, experiments say why.
 * explorer is a page over the library, cli the top floor, and beside it stand the doors of the library, files of the root that only hand on.
 */
const ALLOWED: Readonly<Record<string, readonly string[]>> = {
  src: ['src'],
  sim: ['sim', 'src'],
  hw: ['hw', 'src'],
  experiments: ['experiments', 'src', 'sim', 'hw'],
  explorer: ['explorer', 'experiments', 'sim', 'src'],
  cli: ['cli', 'src', 'sim', 'hw', 'experiments'],
  door: ['src', 'sim', 'experiments'],
};

/**
 * Layers inside src, lowest first: a file may import its own layer and lower ones, types included. What an engine is
 * (`engine/engine.ts`) stands below decoding, which runs one; the engines themselves stand above.
 */
const LAYERS = [
  'errors.ts',
  'util/',
  'pass/',
  'model/',
  'onnx/',
  'engine/engine.ts',
  'decode/',
  'engine/',
  'score/',
  'train/',
];

const room = (path: string): string => (path.includes('/') ? path.slice(0, path.indexOf('/')) : 'door');
const layer = (path: string): number => LAYERS.findIndex((name) => path.startsWith(`src/${name}`));
const shown = ({ from, to }: Import): string => `${from} -> ${to}`;

const graph = moduleGraph();

describe('imports', () => {
  it('are read, every one', () => {
    expect(graph.length).toBeGreaterThan(1000);
    expect(dangling(graph).map(shown)).toEqual([]);
  });

  it('go only src <- sim, hw <- experiments <- cli, types included', () => {
    expect(graph.filter(({ from, to }) => !ALLOWED[room(from)].includes(room(to))).map(shown)).toEqual([]);
  });

  it('go only down the layers of src, types included', () => {
    const inSrc = graph.filter(({ from, to }) => room(from) === 'src' && room(to) === 'src');
    expect(inSrc.filter(({ from, to }) => layer(from) < 0 || layer(to) < 0).map(shown)).toEqual([]);
    expect(inSrc.filter(({ from, to }) => layer(from) < layer(to)).map(shown)).toEqual([]);
  });

  it('form no circle, types included', () => {
    expect(cycles(graph)).toEqual([]);
  });

  it('leave the verifier its own idea of what a row sees: no module of a pass but its types, no planner', () => {
    const rebuild = ['src/engine/verify/parts.ts', 'src/engine/verify/closure.ts'];
    const runs = graph.filter(({ from, typeOnly }) => rebuild.includes(from) && !typeOnly);
    expect(runs.map(shown)).toEqual([
      'src/engine/verify/closure.ts -> src/errors.ts',
      'src/engine/verify/closure.ts -> src/engine/verify/parts.ts',
      'src/engine/verify/parts.ts -> src/errors.ts',
    ]);
  });

  it('load the bridge to devices only when a command runs', () => {
    const atStart = reachable(graph, 'cli/main.ts', ({ typeOnly, dynamic }) => !typeOnly && !dynamic);
    expect([...atStart].filter((file) => room(file) === 'hw')).toEqual([]);
    // Nor what decodes, for a command that reads a header: every file takes half a millisecond.
    expect([...atStart].filter((file) => /^(sim|experiments|src\/decode|src\/engine)\//.test(file))).toEqual(
      [],
    );
    expect([...reachable(graph, 'cli/main.ts')].filter((file) => room(file) === 'hw')).not.toEqual([]);
  });
});
