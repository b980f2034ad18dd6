import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { cli } from '../support/run-cli.js';
import { temporaryDirectory } from '../support/temporary-directory.js';

const directory = temporaryDirectory();
const at = (name: string): string => join(directory, name);

/** One call of every command that answers within seconds. */
const CALLS = [
  ...['policies', 'policies llada.cpp', 'models', 'workload show', 'inspect tiny-llada'],
  ...['hardware list', 'hardware show sm8750', 'hardware stack llada.cpp', 'hardware stacks'],
  ...['hardware energy', 'hardware diff sm8650 sm8750', 'hardware explain npu.dmaRate'],
  ...[
    'simulate step --rows 1,32 --context 40 --model tinyllama-1.1b',
    'simulate prefill --tokens 64',
    'simulate decode --context 64',
    'simulate request --prompt 64 --answer 8 --model tinyllama-1.1b',
    'explain --prompt 64 --answer 8',
    'simulate kernel 64x2048x8192',
  ],
  ...[
    `simulate validate ${at('v.csv')}`,
    'simulate sensitivity --rows 8 --sobol 1 --model tinyllama-1.1b',
    'explain',
    'memory plan',
  ],
  `simulate step --rows 8 --model tinyllama-1.1b --perfetto ${at('p.json')}`,
  `simulate trace ${at('t.jsonl')}`,
  ...[`trace show ${at('t.jsonl')}`, `trace validate ${at('t.jsonl')}`],
  'generate --problem 0 --policy threshold --gen-length 32 --machine sm8750',
  'generate --prompt-ids 1,2 --policy threshold --gen-length 32',
  'verify --policy threshold --n 1 --gen-length 32 --every 16',
  'bench --engine tfjs --rows 1 -r 1',
  'numerics --engine tfjs --n 1 --policy threshold --gen-length 32',
  ...[`convert tiny-llada ${at('m.gguf')}`, `logits --model tiny-llada --ids 1,2 --out ${at('l.f32')}`],
  ...[`synth ${at('s.gguf')}`, 'train --steps 1 --batch 1 --hidden 4 --heads 1'],
  ...[`sweep ${at('sweep.json')} --results ${at('r')} --jobs 0`, `results list --results ${at('r')}`],
  `figure staircase --rows 2 --model tinyllama-1.1b --out ${at('f')}`,
];

/** Below these, keys are names: of formats, numbers, resources, or of the columns of a table. */
const NAMES = new Set([
  'formats',
  'metrics',
  'measured',
  'derived',
  'published',
  'parameters',
  'assumed',
  'numbers',
]);

/** Keys of an answer that are the program's own words, with where they stand. */
function keysOf(value: unknown, path: string, found: Map<string, string>): void {
  if (Array.isArray(value)) for (const item of value) keysOf(item, path, found);
  else if (typeof value === 'object' && value !== null) {
    for (const [key, below] of Object.entries(value)) {
      if (!NAMES.has(path.slice(path.lastIndexOf('.') + 1)) || Array.isArray(value)) found.set(key, path);
      keysOf(below, `${path}.${key}`, found);
    }
  }
}

const found = new Map<string, string>();

beforeAll(async () => {
  const sweep = { schema: 'dllm-npu/sweep@1', kind: 'step', base: { rows: 1 } };
  writeFileSync(at('sweep.json'), JSON.stringify(sweep));
  const measured = readFileSync('sim/validation/published-open.csv', 'utf8').split('\n');
  writeFileSync(at('v.csv'), measured.slice(0, 4).join('\n'));
  const decoded = 'generate --problem 0 --policy threshold --gen-length 32 --trace'.split(' ');
  await cli([...decoded, at('t.jsonl')]);
  for (const call of CALLS) {
    const { code, stdout, stderr } = await cli([...call.split(' '), '--json']);
    expect(code, `${call}: ${stderr}`).toBe(0);
    keysOf(JSON.parse(stdout), call, found);
  }
}, 300_000);

describe('keys under --json', () => {
  it('are camel case, a unit being the last word', () => {
    const snake = [...found].filter(([key]) => /^[a-z][a-z0-9]*(_[a-z0-9]+)+$/.test(key));
    expect(snake).toEqual([]);
  });

  it('are one for one concept', () => {
    const byWord = new Map<string, Set<string>>();
    for (const key of found.keys()) {
      const word = key.toLowerCase().replaceAll('_', '');
      byWord.set(word, (byWord.get(word) ?? new Set()).add(key));
    }
    expect([...byWord.values()].filter((keys) => keys.size > 1).map((keys) => [...keys])).toEqual([]);
  });
});
