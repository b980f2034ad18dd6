import { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { type CommandDefinition, defineCommand } from '../../cli/command.js';
import { Context } from '../../cli/io.js';
import { UsageError } from '../../src/errors.js';

const silent = { write: () => {} };
const io = { stdout: silent, stderr: silent, env: {}, signal: new AbortController().signal };

/** Runs a definition on a command line. */
async function parse(definition: CommandDefinition, line: readonly string[]): Promise<void> {
  const command = new Command('test')
    .exitOverride()
    .configureOutput({ writeErr: () => {}, writeOut: () => {} });
  definition.fill(command, () => new Context(io, {}));
  await command.parseAsync([...line], { from: 'user' });
}

let seen: unknown;
const definition = defineCommand({
  arguments: { file: z.string(), more: z.array(z.string()).optional() },
  options: {
    count: z.int().min(1).max(9).default(3),
    format: z.enum(['f32', 'q4_0']).default('q4_0'),
    sizes: z.array(z.int().min(1).max(100)).default([1, 2]),
    names: z.array(z.string()).optional(),
    each: z.array(z.string()).default([]).meta({ repeat: true }),
    numbers: z
      .record(z.string(), z.union([z.number(), z.string()]))
      .default({})
      .meta({ flag: 'set' }),
    part: z
      .string()
      .regex(/^\d+\/\d+$/, 'Expected I/N')
      .transform((text) => text.split('/').map(Number))
      .optional(),
    quick: z.boolean().default(false),
    wait: z.boolean().default(true),
    genLength: z.int().min(1).default(128).meta({ alias: 'n' }),
    deep: z.int().nullable().default(null),
  },
  effects: [{ options: ['deep'], when: ({ quick }) => !quick, because: 'what is quick is not deep' }],
  examples: ['test'],
  run: (_, input) => {
    seen = input;
  },
});

describe('options of a shape', () => {
  it('have the defaults of their schemas', async () => {
    await parse(definition, ['a']);
    expect(seen).toEqual({
      file: 'a',
      more: [],
      count: 3,
      format: 'q4_0',
      sizes: [1, 2],
      each: [],
      numbers: {},
      quick: false,
      wait: true,
      genLength: 128,
      deep: null,
    });
  });

  it('are read by the type of their schemas', async () => {
    const line = 'a b c --count 9 --format f32 --sizes 4,8-16+8 --names x,y --each 1 --each 2,3 --set s.a=4';
    await parse(definition, [
      ...line.split(' '),
      '--set',
      'p.b=60 GB/s',
      '--part',
      '3/4',
      '--quick',
      '--no-wait',
      '--n',
      '7',
    ]);
    expect(seen).toMatchObject({
      more: ['b', 'c'],
      count: 9,
      format: 'f32',
      sizes: [4, 8, 16],
      names: ['x', 'y'],
      each: ['1', '2,3'],
      numbers: { 's.a': 4, 'p.b': '60 GB/s' },
      part: [3, 4],
      quick: true,
      wait: false,
      genLength: 7,
    });
  });

  it.each([
    ['--count 10', /Expected an integer from 1 to 9/],
    ['--sizes 1,101', /from 1 to 100/],
    ['--part 3', /Expected I\/N/],
    ['--set 4', /Expected NAME=VALUE/],
    ['--format q4', /unknown format "q4": did you mean q4_0/],
    ['--quick --deep 3', /--deep has no effect: what is quick is not deep/],
  ])('%s is refused', async (line, message) => {
    await expect(parse(definition, ['a', ...line.split(' ')])).rejects.toThrow(message);
  });

  it('must be given when they have no default', async () => {
    const needs = defineCommand({ options: { out: z.string() }, examples: [], run: () => {} });
    await expect(parse(needs, [])).rejects.toThrow(/required option '--out/);
    await expect(parse(needs, ['--out', 'x'])).resolves.toBeUndefined();
    await expect(parse(definition, ['a', '--format', 'q4'])).rejects.toThrow(UsageError);
  });
});
