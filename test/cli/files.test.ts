import { copyFileSync, mkdirSync, statSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { COMMANDS } from '../../cli/commands/index.js';
import type { Entry } from '../../cli/mount.js';
import { writeSummary } from '../../experiments/studies/ladder/summary-file.js';
import { project } from '../../src/util/project-root.js';
import { cli } from '../support/run-cli.js';
import { syntheticSummary } from '../support/synthetic-summary.js';
import { temporaryDirectory } from '../support/temporary-directory.js';

/** What a file that is read may be, by the ending of its name. A `.gguf` that is no GGUF is the wrong kind. */
type Kind =
  | 'gguf'
  | 'trace'
  | 'profile'
  | 'policy'
  | 'sweep'
  | 'summary'
  | 'measurements'
  | 'prompts'
  | 'trajectories'
  | 'record'
  | 'log';

const ENDINGS: Readonly<Record<Kind, string>> = {
  gguf: '.gguf',
  trace: '.jsonl',
  profile: '.json',
  policy: '.json',
  sweep: '.json',
  summary: '.json',
  measurements: '.csv',
  prompts: '.jsonl',
  trajectories: '.jsonl',
  record: '.json',
  log: '.log',
};

/** Texts that a model is asked to fill in. */
const REACTIONS = 'results/reference/quality/reactions.txt';

/** Every command that opens a file that the user names, with that file as FILE and a place to write as OUT. */
const READERS: readonly (readonly [command: string, kind: Kind, rest: string])[] = [
  ['generate', 'gguf', 'x --model FILE'],
  ['generate', 'policy', 'x --policy FILE'],
  ['generate', 'prompts', '--prompts FILE'],
  ['generate', 'profile', 'x --machine FILE --gen-length 32'],
  ['quality', 'gguf', '--model FILE --n 1 --jobs 0 --results OUT --out OUT/q.json'],
  ['ablate', 'gguf', '--model FILE --prompts 1 --jobs 0 --results OUT --out OUT'],
  ['ablate', 'profile', '--profile FILE --prompts 1 --jobs 0 --results OUT --out OUT'],
  ['tune', 'gguf', '--workload FILE --candidates 0 --screen 1 --confirm 1 --jobs 0 --results OUT --out OUT'],
  ['recover', 'gguf', `${REACTIONS} --model FILE --policies llada --jobs 0 --results OUT`],
  ['train', 'prompts', '--data FILE --steps 1'],
  ['train', 'sweep', '--task FILE --steps 1'],
  ['policies', 'policy', 'FILE'],
  ['verify', 'gguf', '--policy llada --model FILE'],
  ['verify', 'policy', '--policy FILE'],
  ['numerics', 'gguf', '--model FILE'],
  ['inspect', 'gguf', 'FILE'],
  ['convert', 'gguf', 'FILE OUT/out.gguf'],
  ['bench', 'gguf', '--model FILE --engine tfjs --rows 1'],
  ['logits', 'gguf', '--model FILE --ids 1 --out OUT/l.f32'],
  ['trace show', 'trace', 'FILE'],
  ['trace validate', 'trace', 'FILE'],
  ['simulate trace', 'trace', 'FILE'],
  ['simulate step', 'profile', '--profile FILE'],
  ['simulate prefill', 'profile', '--profile FILE'],
  ['simulate decode', 'profile', '--profile FILE'],
  ['simulate request', 'profile', '--profile FILE'],
  ['simulate kernel', 'profile', '64x2048x8192 --profile FILE'],
  ['simulate sensitivity', 'profile', '--profile FILE'],
  ['simulate validate', 'measurements', 'FILE'],
  ['explain', 'profile', '--profile FILE'],
  ['memory plan', 'profile', '--profile FILE'],
  ['hardware show', 'profile', 'FILE'],
  ['hardware diff', 'profile', 'FILE sm8750'],
  ['reproduce', 'trace', 'fig5a --workload trace:FILE --out OUT'],
  ['workload fit', 'trajectories', '--from FILE --out OUT/p.json'],
  ['workload emergence', 'trajectories', '--from FILE'],
  ['workload check', 'trajectories', '--from FILE'],
  ['sweep', 'sweep', 'FILE --results OUT --jobs 0'],
  ['results list', 'sweep', '--sweep FILE --results OUT'],
  ['results export', 'sweep', '--sweep FILE --results OUT'],
  ['figure roofline', 'profile', '--profile FILE --out OUT/f'],
  ['figure staircase', 'profile', '--profile FILE --out OUT/f'],
  ['figure tornado', 'profile', '--profile FILE --out OUT/f'],
  ['figure timeline', 'profile', '--profile FILE --out OUT/f'],
  ['figure utilization', 'trace', 'FILE --out OUT/f'],
  ['figure waterfall', 'summary', 'FILE --out OUT/f'],
  ['figure pareto', 'sweep', 'FILE --x a --y b --results OUT --out OUT/f'],
  ['report', 'summary', 'FILE --out OUT'],
  ['device calibrate', 'record', 'FILE --out OUT/p.json'],
  ['device compare', 'record', '--record FILE --out OUT'],
  ['device qnn graphs', 'trace', 'FILE --out OUT'],
  ['device ggml read', 'log', 'FILE'],
];

/** Commands that read no file that the user names, or only through a device or a tool that is not here. */
const WITHOUT = [
  ...['explore', 'hvx', 'models', 'synth', 'workload show', 'workload record'],
  ...['hardware list', 'hardware stack', 'hardware stacks', 'hardware energy', 'hardware explain'],
  ...['results show', 'results diff', 'results merge', 'results scoreboard'],
  ...['device doctor', 'device fetch', 'device run', 'device clean'],
  ...['device ggml bench', 'device ggml generate', 'device qnn compile', 'device qnn replay'],
];

const directory = temporaryDirectory();
const good = {} as Record<Kind, string>;

beforeAll(async () => {
  for (const kind of Object.keys(ENDINGS) as Kind[]) good[kind] = join(directory, `${kind}${ENDINGS[kind]}`);
  const { root } = project();
  copyFileSync(join(root, 'models/tiny-llada/tiny-llada-f32.gguf'), good.gguf);
  copyFileSync(join(root, 'sim/hardware/profiles/sm8750.json'), good.profile);
  copyFileSync(join(root, 'sim/validation/published-open.csv'), good.measurements);
  const traced = 'generate --problem 0 --policy threshold --gen-length 32 --trace'
    .split(' ')
    .concat(good.trace);
  expect((await cli(traced)).code).toBe(0);
  writeFileSync(good.policy, (await cli(['policies', 'llada', '--json'])).stdout);
  writeFileSync(good.prompts, '{"prompt":"flip"}\n{"prompt":"count dog : dog dog dog dog dog"}\n');
  const step = { tokens: [1], confidences: [1], masked: [0] };
  writeFileSync(good.trajectories, JSON.stringify({ promptTokens: 1, steps: [step], reference: [1] }));
  writeSummary(good.summary, syntheticSummary());
  const sweep = { schema: 'dllm-npu/sweep@1', kind: 'step', base: { rows: 1 } };
  writeFileSync(good.sweep, JSON.stringify(sweep));
  writeFileSync(good.log, 'no profile here\n');
  writeFileSync(good.record, JSON.stringify({ schema: 'dllm-npu/device-run@1', startedAt: '2026-01-01' }));
});

let made = 0;

/** A file that something is wrong with, under a name of its kind. */
const FAULTS: Readonly<
  Record<string, { readonly exit: 1 | 3; readonly make: (path: string, kind: Kind) => void }>
> = {
  missing: { exit: 3, make: () => {} },
  'a directory': { exit: 3, make: (path) => mkdirSync(path) },
  unreadable: { exit: 3, make: (path) => symlinkSync(path, path) },
  truncated: {
    exit: 1,
    make: (path, kind) => {
      copyFileSync(good[kind], path);
      truncateSync(path, Math.floor(statSync(path).size / 2));
    },
  },
  'of the wrong kind': { exit: 1, make: (path) => writeFileSync(path, '{"schema":"something/else@1"}\n') },
};

describe('every command says in one way what is wrong with a file', () => {
  const cases = READERS.flatMap(([command, kind, rest]) =>
    Object.keys(FAULTS)
      // A directory of traces is as good as one.
      .filter((fault) => !(rest.includes('trace:FILE') && fault === 'a directory'))
      .map((fault) => [command, kind, fault, rest] as const),
  );

  it.each(cases)('%s: a %s that is %s', async (command, kind, fault, rest) => {
    const { exit, make } = FAULTS[fault];
    const folder = join(directory, String(made++));
    mkdirSync(folder);
    const path = join(folder, `input${ENDINGS[kind]}`);
    make(path, kind);
    const words = rest
      .split(' ')
      .map((word) => word.replace('FILE', path).replace('OUT', join(folder, 'out')));
    const { code, stdout, stderr } = await cli([...command.split(' '), ...words]);
    expect(stderr).toContain('input');
    expect(stderr.trim().split('\n').at(-1)).toMatch(/^error: /);
    expect(stdout).toBe('');
    expect(code).toBe(exit);
  });

  it('and none is forgotten', () => {
    const leaves = (entries: readonly Entry[], path: readonly string[]): string[] =>
      entries.flatMap((entry) => {
        const own = [...path, entry.name];
        return 'commands' in entry ? leaves(entry.commands, own) : [own.join(' ')];
      });
    const listed = new Set([...READERS.map(([command]) => command), ...WITHOUT]);
    expect(leaves(COMMANDS, []).filter((name) => !listed.has(name))).toEqual([]);
  });
});
