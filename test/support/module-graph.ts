import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize, sep } from 'node:path';
import { project } from '../../src/util/project-root.js';

const { root } = project();

/** One file of the project that another one names in an import, an export or a type. */
export interface Import {
  /** Paths from the project's root, with forward slashes. */
  readonly from: string;
  readonly to: string;
  /** `import type`: gone when the program runs. */
  readonly typeOnly: boolean;
  /** `import()`: loaded when the line is reached. */
  readonly dynamic: boolean;
}

/** The folders that hold the program, and the library's door. */
const ROOMS = ['cli', 'src', 'sim', 'hw', 'experiments', 'explorer'];
const DOORS = readdirSync(root).filter((name) => name.endsWith('.ts') && !name.endsWith('.config.ts'));

const STATEMENT =
  /(?:^|\n)[ \t]*(?:import|export)\b(\s+type\b)?(?:[^'";]*?\bfrom)?\s*'(\.[^']+)'|\bimport\(\s*'(\.[^']+)'\s*\)/g;

function sources(): string[] {
  const inRooms = ROOMS.flatMap((room) =>
    readdirSync(join(root, room), { recursive: true, encoding: 'utf8' }).map((name) => join(room, name)),
  );
  return [...DOORS, ...inRooms]
    .filter((name) => /\.tsx?$/.test(name))
    .map((name) => name.replaceAll(sep, '/'));
}

function importsOf(file: string): Import[] {
  const code = readFileSync(join(root, file), 'utf8').replace(/^\s*(?:\/\/|\*|\/\*).*$/gm, '');
  return [...code.matchAll(STATEMENT)].flatMap(([, type, stated, called]) => {
    const target = join(dirname(file), stated ?? called);
    const path = normalize(target).replaceAll(sep, '/');
    if (!path.endsWith('.js')) return [];
    const stem = path.slice(0, -'.js'.length);
    const to = existsSync(join(root, `${stem}.tsx`)) ? `${stem}.tsx` : `${stem}.ts`;
    return [{ from: file, to, typeOnly: type !== undefined, dynamic: called !== undefined }];
  });
}

/** Every import between two files of the program; tests and benches are not part of it. */
export function moduleGraph(): readonly Import[] {
  return sources().flatMap(importsOf);
}

/** Imports of files that do not exist: a sign that the graph is read wrongly. */
export function dangling(graph: readonly Import[]): readonly Import[] {
  return graph.filter(({ to }) => !existsSync(join(root, to)));
}

/** Files reached from `start` over the imports that `follow` accepts, `start` included. */
export function reachable(
  graph: readonly Import[],
  start: string,
  follow: (step: Import) => boolean = () => true,
): ReadonlySet<string> {
  const found = new Set([start]);
  for (const file of found) {
    for (const step of graph) if (step.from === file && follow(step)) found.add(step.to);
  }
  return found;
}

/** Groups of files that reach each other, types included; each sorted by name. */
export function cycles(graph: readonly Import[]): readonly (readonly string[])[] {
  const targets = new Map<string, string[]>();
  for (const { from, to } of graph) targets.set(from, [...(targets.get(from) ?? []), to]);
  const order = new Map<string, number>();
  const lowest = new Map<string, number>();
  const stack: string[] = [];
  const found: string[][] = [];
  // Tarjan's strongly connected components.
  const visit = (file: string): number => {
    const number = order.size;
    order.set(file, number);
    lowest.set(file, number);
    stack.push(file);
    for (const to of targets.get(file) ?? []) {
      if (!order.has(to)) visit(to);
      if (stack.includes(to)) lowest.set(file, Math.min(lowest.get(file)!, lowest.get(to)!));
    }
    if (lowest.get(file) === number) {
      const group = stack.splice(stack.indexOf(file));
      if (group.length > 1) found.push(group.sort());
    }
    return number;
  };
  for (const file of targets.keys()) if (!order.has(file)) visit(file);
  return found;
}
