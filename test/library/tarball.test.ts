import { readdirSync, readFileSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { project } from '../../src/util/project-root.js';
import { Consumer, pack, type Tarball } from './consumer.js';

// What a user gets is this file, in a project of his own: nothing of the repository is around it.
let tarball: Tarball;
let consumer: Consumer;

const DOORS = ['dllm-npu', 'dllm-npu/sim', 'dllm-npu/policies', 'dllm-npu/trace', 'dllm-npu/report'];

const PROGRAM = `
import { loadModel, policy, machine, decode } from 'dllm-npu';
const model = await loadModel('tiny-llada');
const chip = machine({ profile: 'sm8750', stack: 'llada.cpp', shapes: 'llada-8b', quant: 'q4_0', memory: 'somr',
                       set: { 'stack.cpuThreads': 4 } });
const run = decode({ model, engine: 'ort', timer: chip, policy: policy('llada.cpp', { commit: { visible: 0.8 } }),
                     prompt: 'A flip 2 4 8 B sort owl elk ant', genLength: 128 });
for await (const step of run) console.log(JSON.stringify([step.index, step.committed, step.ms, step.bound]));
const { text, forwards, seconds } = await run.result;
console.log(JSON.stringify({ text, forwards, seconds }));
await model.close();
`;

beforeAll(async () => {
  tarball = await pack();
  consumer = new Consumer(tarball);
});

// Longer than 20 s on a busy machine: packs, installs, and starts the program as users do.
describe('the tarball', () => {
  it('holds what runs, and nothing else', () => {
    const kinds = new Set(tarball.files.map((file) => file.replace(/^.*?((?:\.d)?\.[a-z]+)$/, '$1')));
    expect([...kinds].sort()).toEqual([
      '.c',
      '.css',
      '.csv',
      '.d.ts',
      '.html',
      '.js',
      '.json',
      '.md',
      '.safetensors',
      'LICENSE',
    ]);
    expect(
      tarball.files.filter((file) => /^(dist\/)?(test|bench|tools|notebooks|results)\//.test(file)),
    ).toEqual([]);
    // The two models are 7 MB of it, the page of the explorer half a megabyte.
    expect(tarball.size).toBeLessThan(9.5e6);
  });

  it('runs the program of its documentation', () => {
    consumer.write('program.mjs', PROGRAM);
    const { status, stdout, stderr } = consumer.node('program.mjs');
    expect(stderr).toBe('');
    expect(status).toBe(0);
    const lines = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as unknown);
    const { text, forwards, seconds } = lines.pop() as { text: string; forwards: number; seconds: number };
    const steps = lines as [number, { id: number }[], number, string][];
    expect(
      text.startsWith('item A : flip 2 4 8 thus 8 4 2 . item B : sort owl elk ant thus ant elk owl .'),
    ).toBe(true);
    expect(forwards).toBe(steps.length);
    expect(seconds).toBeCloseTo(steps.reduce((sum, [, , ms]) => sum + ms, 0) / 1000, 9);
    expect(steps.map(([index]) => index)).toEqual(steps.map((_, at) => at));
    expect(steps.flatMap(([, committed]) => committed)).toHaveLength(128);
    expect(steps.every(([, , , bound]) => ['cpu', 'dma', 'matrix', 'vector'].includes(bound))).toBe(true);
  });

  it('runs the examples of README.md and docs/library.md', () => {
    const examples = ['README.md', 'docs/library.md'].flatMap((page) => {
      const text = readFileSync(join(project().root, page), 'utf8');
      const found = [...text.matchAll(/^```js\n(.*?)^```/gms)].map(([, code]) => code);
      expect(found, page).not.toEqual([]);
      return found;
    });
    // One process: each is a module of its own, after the other.
    const end = 'END OF AN EXAMPLE';
    for (const [at, example] of examples.entries()) consumer.write(`example${at}.mjs`, example);
    const all = examples.map((_, at) => `await import('./example${at}.mjs'); console.log('${end}');`);
    consumer.write('examples.mjs', all.join('\n'));
    const { status, stdout, stderr } = consumer.node('examples.mjs');
    expect({ status, stderr }, stdout).toEqual({ status: 0, stderr: '' });
    const said = stdout.split(`${end}\n`);
    expect(said.pop()).toBe('');
    expect(said).toHaveLength(examples.length);
    for (const text of said) expect(text).not.toMatch(/^$|NaN|undefined/);
  });

  it('has types that compile without skipLibCheck, in a project without types of Node', () => {
    consumer.write('program.ts', `${PROGRAM}\nexport {};\n`);
    const doors = DOORS.map((door, at) => `import * as door${at} from '${door}';\nconsole.log(door${at});\n`);
    const misuse = [
      '// @ts-expect-error an option that no rule has',
      "door0.policy('llada.cpp', { commit: { visibel: 0.8 } });",
      '// @ts-expect-error an engine that does not exist',
      "door0.decode({ model: await door0.loadModel('x'), prompt: '', engine: 'tf' });",
    ];
    consumer.write('doors.ts', [...doors, ...misuse].join('\n'));
    const options = { strict: true, module: 'nodenext', target: 'es2023', skipLibCheck: false, types: [] };
    expect(consumer.typeErrors(options)).toBe('');
  });

  it('keeps what is no door to itself', () => {
    const inner = ['dllm-npu/dist/src/model/load.js', 'dllm-npu/src/model/load.js', 'dllm-npu/package.json'];
    const asked = `for (const path of ${JSON.stringify(inner)}) await import(path).catch(({ code }) => console.log(code));`;
    const { status, stdout } = consumer.node('--input-type=module', '--eval', asked);
    expect(status).toBe(0);
    expect(stdout.trim().split('\n')).toEqual(inner.map(() => 'ERR_PACKAGE_PATH_NOT_EXPORTED'));
  });

  const sweep = JSON.stringify({ schema: 'dllm-npu/sweep@1', kind: 'step', axes: { rows: [1, 2] } });

  it.each([[['policies']], [['sweep', 'sweep.json', '--jobs', '2']]])(
    'answers %j and writes to the current folder only',
    (command) => {
      consumer.write('sweep.json', sweep);
      const before = consumer.state();
      const { status, stdout, stderr } = consumer.program(...command, '--json');
      expect({ status, stderr: status === 0 ? '' : stderr }).toEqual({ status: 0, stderr: '' });
      expect(() => JSON.parse(stdout)).not.toThrow();
      expect(consumer.state()).toEqual(before);
    },
  );

  it('answers what takes every kind of file that it ships, and writes to the current folder only', () => {
    const commands = [
      ['hardware', 'stacks'],
      ['simulate', 'validate', '--explain', 'K-03'],
      ['workload', 'show'],
      ['reproduce', 'table2'],
      ['generate', '--problem', '3', '--gen-length', '16', '--block-length', '16', '--machine', 'sm8750'],
      ['explore', '--out', 'site'],
    ];
    const before = consumer.state();
    const answers = consumer.inOneProcess(commands.map((command) => [...command, '--json']));
    for (const [at, { code, stdout, stderr }] of answers.entries()) {
      expect({ code, stderr: code === 0 ? '' : stderr }, commands[at].join(' ')).toEqual({
        code: 0,
        stderr: '',
      });
      expect(() => JSON.parse(stdout), commands[at].join(' ')).not.toThrow();
    }
    expect(answers).toHaveLength(commands.length);
    expect(consumer.state()).toEqual(before);
  });

  it('says which package is missing for an engine', () => {
    const modules = join(consumer.folder, 'node_modules');
    renameSync(join(modules, 'onnxruntime-node'), join(modules, 'not-installed'));
    consumer.write(
      'missing.mjs',
      `
      import { decode, EnvironmentError, loadModel } from 'dllm-npu';
      const model = await loadModel('tiny-llada');
      const error = await decode({ model, engine: 'ort', prompt: 'A flip 2 4 8' }).result.catch((error) => error);
      console.log(JSON.stringify([error instanceof EnvironmentError, error.exitCode, error.message]));
      await model.close();
      `,
    );
    const { stdout, stderr } = consumer.node('missing.mjs');
    expect(stderr).toBe('');
    expect(JSON.parse(stdout)).toEqual([true, 3, expect.stringContaining('npm install onnxruntime-node')]);
    expect(readdirSync(modules)).not.toContain('onnxruntime-node');
  });
});
