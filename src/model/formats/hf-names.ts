import { type Architecture, familyOf } from '../families/index.js';
import type { LayerWeight } from '../weight-ids.js';

/** A weight, or one expert's matrix of a stack. */
export interface HfPlace {
  readonly id: string;
  readonly expert?: number;
}

/** A name as its family writes it: the numbers of layer and expert as `#` and `@`. */
const PATTERN = /^(.*?)\.(weight|bias)$/;
const NUMBERS = /\.(\d{1,5})(?=\.)/g;

/** Whether a tensor is stored and not computed with. */
export function isUnusedHfTensor(arch: Architecture, name: string): boolean {
  return familyOf(arch).folder.tensors.unused.includes(name.replace(NUMBERS, '.#'));
}

/** Where a tensor of a family's folder belongs; null for one that is no weight of its models. */
export function placeOfHfName(arch: Architecture, name: string): HfPlace | null {
  const { outer, layer, bare = [] } = familyOf(arch).folder.tensors;
  const lone = bare.find((known) => layer[known] === name.replace(NUMBERS, '.#'));
  const [, path, part] = lone === undefined ? (PATTERN.exec(name) ?? []) : ['', name, 'bias'];
  if (path === undefined) return null;
  for (const [id, written] of Object.entries(outer)) if (written === path) return { id: `${id}.${part}` };
  const numbers = [...path.matchAll(NUMBERS)].map(([, digits]) => Number(digits));
  let marks = 0;
  const pattern = path.replace(NUMBERS, () => `.${'#@'[marks++]}`);
  const weight = (Object.keys(layer) as LayerWeight[]).find((known) => layer[known] === pattern);
  if (weight === undefined) return null;
  const id = `blk.${numbers[0]}.${weight}.${part}`;
  return numbers.length === 1 ? { id } : { id, expert: numbers[1] };
}

/**
 * Name of a canonical id in a family's folder; null when it has none.
 * @param expert index of the expert, for an id that is a stack of experts
 */
export function hfNameOf(arch: Architecture, id: string, expert?: number): string | null {
  const { outer, layer, bare } = familyOf(arch).folder.tensors;
  const [, place = '', part] = PATTERN.exec(id) ?? [];
  const inLayer = /^blk\.(\d+)\.(\w+)$/.exec(place);
  const pattern = outer[place] ?? (inLayer === null ? undefined : layer[inLayer[2] as LayerWeight]);
  if (pattern === undefined || pattern.includes('@') !== (expert !== undefined)) return null;
  const path = pattern.replace('#', inLayer?.[1] ?? '').replace('@', String(expert));
  return bare?.includes(inLayer?.[2] as LayerWeight) ? path : `${path}.${part}`;
}

/** Weights that a family stores in one tensor, rows of the first before those of the second; the id of the first. */
export function storedTogether(arch: Architecture, id: string): readonly string[] {
  const { layer } = familyOf(arch).folder.tensors;
  const [, at, weight, part] = /^blk\.(\d+)\.(\w+)\.(weight|bias)$/.exec(id) ?? [];
  const pattern = layer[weight as LayerWeight];
  if (pattern === undefined) return [id];
  const shared = (Object.keys(layer) as LayerWeight[]).filter((known) => layer[known] === pattern);
  return shared.map((known) => `blk.${at}.${known}.${part}`);
}
