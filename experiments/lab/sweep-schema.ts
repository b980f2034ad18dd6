import { z } from 'zod';
import { kindByName, kindNames } from './kinds/registry.js';
import { sweepSchema } from './sweep-file.js';

/**
 * JSON Schema (2020-12) of a sweep file, for editors and generators: the options of its `base` and `runs` are those of
 * its kind. Entries of an option (`profileNumbers.npu.dmaRate`) and pairs of options can only be named in `axes`.
 */
export async function sweepJsonSchema(): Promise<Record<string, unknown>> {
  const { $schema, ...sweep } = z.toJSONSchema(sweepSchema, { io: 'input' });
  const kinds = await Promise.all(
    kindNames().map(async (name) => {
      const { description, config } = await kindByName(name);
      const { $schema: _, properties } = z.toJSONSchema(config, { io: 'input', unrepresentable: 'any' });
      return { name, description, options: { type: 'object', properties, additionalProperties: false } };
    }),
  );
  return {
    $schema,
    title: 'A sweep of dllm-npu',
    ...sweep,
    allOf: kinds.map(({ name }) => ({
      if: { properties: { kind: { const: name } } },
      // biome-ignore lint/suspicious/noThenProperty: the word of JSON Schema
      then: {
        properties: {
          base: { $ref: `#/$defs/${name}` },
          runs: { items: { $ref: `#/$defs/${name}` } },
        },
      },
    })),
    $defs: Object.fromEntries(
      kinds.map(({ name, description, options }) => [name, { description, ...options }]),
    ),
  };
}
