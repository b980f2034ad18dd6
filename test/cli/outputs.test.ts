import { copyFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Command } from 'commander';
import { beforeAll, describe, expect, it } from 'vitest';
import { COMMANDS } from '../../cli/commands/index.js';
import { mount } from '../../cli/mount.js';
import { writeSummary } from '../../experiments/studies/ladder/summary-file.js';
import { project } from '../../src/util/project-root.js';
import { cli } from '../support/run-cli.js';
import { syntheticSummary } from '../support/synthetic-summary.js';
import { temporaryDirectory } from '../support/temporary-directory.js';

const directory = temporaryDirectory();
const at = (name: string): string => join(directory, name);

/** Every option and argument that names a place to write, as OUT. */
const WRITERS = [
  ...[
    'generate --problem 0 --trace OUT',
    'explore --out OUT',
    'train --out OUT',
    'synth OUT/m.gguf',
    'convert tiny-llada OUT',
  ],
  ...[
    'convert tiny-llada OUT/m.gguf',
    'convert tiny-llada OUT/m.onnx',
    'logits --model tiny-llada --ids 1 --out OUT',
  ],
  ...['ablate --out OUT', `ablate --out ${at('o')} --results OUT`, 'quality --out OUT'],
  ...[`quality --out ${at('q')} --results OUT`, 'tune --out OUT', `tune --out ${at('o')} --results OUT`],
  ...[
    'verify --policies all --out OUT',
    'numerics --out OUT',
    'recover results/reference/quality/reactions.txt --jobs 0 --out OUT',
    'reproduce table2 --out OUT',
    'reproduce all --out OUT',
  ],
  ...[
    `sweep ${at('sweep.json')} --results OUT`,
    'results export --out OUT',
    `results merge ${directory} --results OUT`,
  ],
  ...['workload fit --out OUT', 'workload record --out OUT', `report ${at('summary.json')} --out OUT`],
  ...['simulate step --perfetto OUT', `simulate trace ${at('t.jsonl')} --perfetto OUT`],
  ...['roofline', 'staircase', 'tornado', 'timeline'].map((name) => `figure ${name} --out OUT`),
  ...[`figure utilization ${at('t.jsonl')} --out OUT`, `figure waterfall ${at('summary.json')} --out OUT`],
  `figure pareto ${at('sweep.json')} --x a --y b --out OUT`,
  ...['device run --out OUT', 'device compare --out OUT', `device calibrate ${at('r.json')} --out OUT`],
  `device qnn graphs ${at('t.jsonl')} --out OUT`,
  ...[
    'device ggml bench --package p --model m.gguf --record OUT',
    'device ggml generate --prompt x --block-length 32 --package p --model m.gguf --record OUT',
  ],
  `device qnn replay ${at('t.jsonl')} --graphs g --record OUT`,
];

beforeAll(async () => {
  writeFileSync(at('blocker'), '');
  writeFileSync(
    at('sweep.json'),
    JSON.stringify({ schema: 'dllm-npu/sweep@1', kind: 'step', base: { rows: 1 } }),
  );
  writeSummary(at('summary.json'), syntheticSummary());
  copyFileSync(join(project().root, 'package.json'), at('r.json'));
  const decoded = 'generate --problem 0 --policy threshold --gen-length 32 --trace'.split(' ');
  await cli([...decoded, at('t.jsonl')]);
});

describe('a place that cannot be written is said before the work, exit 3', () => {
  it.each(WRITERS)('%s', async (line) => {
    const words = line.split(' ').map((word) => word.replace('OUT', join(at('blocker'), 'below')));
    const { code, stdout, stderr } = await cli(words);
    expect(stderr).toMatch(/^error: cannot write .*blocker is not a directory\n$/);
    expect(stdout).toBe('');
    expect(code).toBe(3);
  });

  it('and none is forgotten', async () => {
    const root = new Command();
    await mount(root, COMMANDS, null, () => {
      throw new Error('not run');
    });
    const writing = ['out', 'perfetto', 'record'];
    const leaves = (command: Command, path: readonly string[]): string[] =>
      command.commands.length > 0
        ? command.commands.flatMap((child) => leaves(child, [...path, child.name()]))
        : command.options
            .filter((option) => writing.includes(option.attributeName()))
            .map((option) => `${path.join(' ')} ${option.long}`);
    // `device compare --record` is a file that is read.
    const wanted = leaves(root, []).filter((one) => one !== 'device compare --record');
    const listed = (one: string): boolean => {
      const at = one.lastIndexOf(' ');
      return WRITERS.some(
        (line) => line.startsWith(one.slice(0, at)) && line.includes(`${one.slice(at)} OUT`),
      );
    };
    expect(wanted.filter((one) => !listed(one))).toEqual([]);
  });
});
