import { describe, expect, it } from 'vitest';
import { classify, weightsOf } from '../../../sim/memory/lifetimes.js';
import { buildGraph } from '../../../src/model/build-graph.js';
import type { Op, OpGraph, TensorInfo, TensorRole } from '../../../src/model/graph.js';
import { precisionFor } from '../../../src/model/precision.js';
import { resolvePreset } from '../../../src/model/presets.js';

interface Node {
  readonly id: string;
  readonly inputs?: readonly string[];
  readonly weights?: readonly string[];
  readonly outputs: readonly string[];
}

/** A graph of named operators; tensors are activations of 100 bytes unless a role is given. */
function graphOf(
  nodes: readonly Node[],
  roles: Readonly<Record<string, TensorRole>> = {},
  fresh: string[] = [],
) {
  const ops = nodes.map((node) => ({ inputs: [], weights: [], ...node }) as unknown as Op);
  const ids = [...new Set(ops.flatMap((op) => [...op.weights, ...op.inputs, ...op.outputs]))];
  const tensors = ids.map((id): [string, TensorInfo] => [
    id,
    {
      id,
      role: roles[id] ?? 'activation',
      bytes: 100,
      producer: ops.find((op) => op.outputs.includes(id))?.id ?? null,
      consumers: ops.filter((op) => [...op.inputs, ...op.weights].includes(id)).map((op) => op.id),
    } as unknown as TensorInfo,
  ]);
  const graph = {
    ops,
    tensors: new Map(tensors),
    freshKv: fresh.length === 0 ? [] : [{ k: fresh[0], v: fresh[1] }],
  } as unknown as OpGraph;
  /** Lifetimes when the named operators run on other devices. */
  const lives = (...elsewhere: string[]) => {
    const own = ops.filter((op) => !elsewhere.includes(op.id));
    const found = classify(graph, own);
    const spans = (of: typeof found.activations) =>
      Object.fromEntries(of.map(({ tensor, first, last }) => [tensor, [first, last]]));
    return { ...found, spans: spans(found.activations), weightSpans: spans(found.weights) };
  };
  return { graph, ops, lives };
}

/** x -> a -> h1 -> b -> h2 -> c -> h3 -> d -> y, with h1 read once more by d. */
const chain = graphOf(
  [
    { id: 'a', inputs: ['x'], outputs: ['h1'] },
    { id: 'b', inputs: ['h1'], outputs: ['h2'] },
    { id: 'c', inputs: ['h2'], outputs: ['h3'] },
    { id: 'd', inputs: ['h3', 'h1'], outputs: ['y'] },
  ],
  { x: 'input', y: 'output' },
);

describe('lifetimes of tensors', () => {
  it('run from the writer to the last reader; an input is there from the start, a result until the end', () => {
    expect(chain.lives().spans).toEqual({ x: [0, 0], h1: [0, 3], h2: [1, 2], h3: [2, 3], y: [3, 3] });
    const early = graphOf(
      [
        { id: 'a', inputs: ['x'], outputs: ['y'] },
        { id: 'b', inputs: ['x', 'late'], outputs: ['z'] },
      ],
      { x: 'input', late: 'input' },
    );
    expect(early.lives().spans).toEqual({ x: [0, 1], late: [0, 1], y: [0, 1], z: [1, 1] });
  });

  it('are asked only for tensors that the graph has', () => {
    const { graph, ops } = chain;
    const tensors = new Map([...graph.tensors].filter(([id]) => id !== 'h2'));
    expect(() => classify({ ...graph, tensors }, ops)).toThrow('b names an unknown tensor h2');
  });

  it('what another device reads lives beside the operators before and after it', () => {
    // c elsewhere: h2 must stay until the operator after c has begun, h3 be there before the one before c has ended.
    expect(chain.lives('c').spans).toEqual({ x: [0, 0], h1: [0, 2], h2: [1, 2], h3: [1, 2], y: [2, 2] });
    // d elsewhere, the last of all: what it reads is there to the end.
    expect(chain.lives('d').spans).toEqual({ x: [0, 0], h1: [0, 2], h2: [1, 2], h3: [2, 2] });
    // a elsewhere, the first of all: what it wrote is there from the start.
    expect(chain.lives('a').spans).toEqual({ h1: [0, 2], h2: [0, 1], h3: [1, 2], y: [2, 2] });
    // Two in a row elsewhere, in the middle.
    expect(chain.lives('b', 'c').spans).toEqual({ x: [0, 0], h1: [0, 1], h3: [0, 1], y: [1, 1] });
  });

  it('never let what another device reads and what it writes share addresses', () => {
    for (const elsewhere of ['a', 'b', 'c', 'd']) {
      const { spans } = chain.lives(elsewhere);
      const op = chain.ops.find(({ id }) => id === elsewhere);
      for (const read of op?.inputs ?? []) {
        for (const written of op?.outputs ?? []) {
          const [a, b] = [spans[read], spans[written]];
          if (a === undefined || b === undefined) continue;
          expect(a[0] <= b[1] && b[0] <= a[1], `${elsewhere}: ${read} and ${written}`).toBe(true);
        }
      }
    }
  });

  it('weights, in order of first use, and keys and values are long-lived; fresh ones too', () => {
    const { lives } = graphOf(
      [
        { id: 'a', inputs: ['x'], weights: ['w2'], outputs: ['k', 'v', 'q'] },
        { id: 'b', inputs: ['q', 'k', 'v', 'cached'], weights: ['w1'], outputs: ['y'] },
        { id: 'c', inputs: ['y'], weights: ['w2', 'w3'], outputs: ['z'] },
      ],
      { w1: 'weight', w2: 'weight', w3: 'weight', cached: 'kv', x: 'input' },
      ['k', 'v'],
    );
    const found = lives();
    expect(found.weights.map(({ tensor }) => tensor)).toEqual(['w2', 'w1', 'w3']);
    expect(found.weightSpans).toEqual({ w2: [0, 2], w1: [1, 1], w3: [2, 2] });
    expect(found.kvBytes).toBe(300);
    expect(Object.keys(found.spans)).toEqual(['x', 'q', 'y', 'z']);
  });
});

describe('weights alone', () => {
  it('are those that lifetimes have', () => {
    for (const name of ['llada-8b', 'llada-moe-7b-a1b', 'qwen3-0.6b', 'lfm2-1.2b', 'gemma-4-e2b']) {
      const shape = { rows: 8, kvSets: [{ name: 'prefix', length: 40 }], logitsRows: 1, masked: false };
      const graph = buildGraph(resolvePreset(name), shape, precisionFor('q4_0'));
      const some = graph.ops.filter(({ kind }) => kind !== 'embed');
      for (const ops of [graph.ops, some])
        expect(weightsOf(graph, ops), name).toEqual(classify(graph, ops).weights);
    }
  });
});
