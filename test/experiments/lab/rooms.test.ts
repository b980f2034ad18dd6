import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { CODE_FOLDERS } from '../../../experiments/lab/code-version.js';
import { project } from '../../../src/util/project-root.js';
import { moduleGraph, reachable } from '../../support/module-graph.js';

const graph = moduleGraph();
const files = [...new Set(graph.map(({ from }) => from))];
const textOf = (file: string): string => readFileSync(join(project().root, file), 'utf8');
/** Files that import a name, by whatever statement. */
const importing = (name: string, within: RegExp): string[] =>
  files.filter((file) => {
    if (!within.test(file)) return false;
    const braces = [
      ...textOf(file).matchAll(/(?:import\s|const\s)\s*\{([^}]*)\}\s*(?:from|=\s*await import)/g),
    ];
    return braces.some(([, names]) => new RegExp(`\\b${name}\\b`).test(names.replaceAll(/type \w+/g, '')));
  });

describe('the lab', () => {
  it('hashes all the code that a run executes', () => {
    const executed = [...reachable(graph, 'experiments/lab/worker.ts', ({ typeOnly }) => !typeOnly)];
    expect(executed.length).toBeGreaterThan(100);
    expect(executed.filter((file) => !CODE_FOLDERS.some((folder) => file.startsWith(`${folder}/`)))).toEqual(
      [],
    );
  });

  it('is the only place of the experiments that opens engines, machines and policies', () => {
    const experiments = /^experiments\//;
    const open = 'experiments/lab/open.ts';
    expect(importing('composePolicy', experiments)).toEqual([open]);
    expect(importing('EventMachine', experiments)).toEqual([]);
    expect(importing('create(Tfjs|Ort|NpuNumerics)Engine', experiments)).toEqual([]);
    const registry = graph.filter(
      ({ from, to, typeOnly }) => to === 'src/engine/registry.ts' && experiments.test(from) && !typeOnly,
    );
    // The runner asks whether an engine is native code, the setup takes names and texts from it.
    const asking = ['experiments/lab/runner.ts', 'experiments/lab/setup.ts'];
    expect(registry.map(({ from }) => from).sort()).toEqual([open, ...asking]);
    // The library's machine takes objects that no setup can name; a figure draws a machine that is given to it.
    const makers = graph.filter(({ from, to }) => to === 'sim/open-machine.ts' && experiments.test(from));
    expect(makers.map(({ from }) => from).sort()).toEqual([
      'experiments/figures/machine-data.ts',
      open,
      'experiments/library/machine.ts',
    ]);
  });

  it('keeps results in its store and nowhere else', () => {
    const writes =
      '(atomicWriteFile|writeFileSync|appendFileSync|writeSync|createWriteStream|writeFile|writeTextFile)';
    // The job of a scheduler is no result.
    expect(importing(writes, /^experiments\/(lab|studies)\//).sort()).toEqual([
      'experiments/lab/slurm.ts',
      'experiments/lab/store.ts',
      'experiments/studies/ladder/summary-file.ts',
    ]);
  });
});
