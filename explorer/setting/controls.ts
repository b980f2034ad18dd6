import { z } from 'zod';
import { type PolicySpec, policySpecSchema } from '../../src/decode/spec-schema.js';

/** A field of a form, as plain data. */
export interface Control {
  /** Where it stands in the spec: `commit.visible`. */
  readonly path: string;
  /** Why its default is what it is, in the schema's words. */
  readonly description: string;
  readonly value: unknown;
  readonly input:
    | { readonly kind: 'choice'; readonly choices: readonly string[] }
    | { readonly kind: 'flag' }
    /** Options that are there or not: `{}` puts them there with their defaults, null takes them away. */
    | { readonly kind: 'part' }
    | {
        readonly kind: 'number';
        readonly min: number | null;
        readonly max: number | null;
        readonly whole: boolean;
        /** May be left empty: null. */
        readonly nullable: boolean;
      };
}

/** What says who a policy is, not how it decodes. */
const NAMES = ['name', 'description', 'source'];

/**
 * The options of a policy as fields of a form: what its schema has for the rules that it names.
 * @param spec complete; says the values, and which rule of each kind
 */
export function policyControls(spec: PolicySpec): Control[] {
  return Object.entries(policySpecSchema.shape)
    .filter(([name]) => !NAMES.includes(name))
    .flatMap(([name, schema]) => controlsOf(name, schema, spec[name as keyof PolicySpec]));
}

function controlsOf(path: string, schema: z.ZodType, value: unknown): Control[] {
  const { type, nullable, optional, description } = inside(schema);
  const control = (input: Control['input'], at = path, what = value): Control => ({
    path: at,
    description,
    value: what,
    input,
  });
  if (type instanceof z.ZodDiscriminatedUnion) {
    const rules = type.options as z.ZodObject<{ kind: z.ZodLiteral<string> }>[];
    const { kind } = value as { readonly kind: string };
    const rule = rules.find(({ shape }) => shape.kind.value === kind);
    const choices = rules.map(({ shape }) => shape.kind.value);
    return [
      control({ kind: 'choice', choices }, `${path}.kind`, kind),
      ...(rule === undefined ? [] : fieldsOf(path, rule, value)),
    ];
  }
  if (type instanceof z.ZodObject) {
    if (!optional) return fieldsOf(path, type, value);
    if (value === undefined) return [control({ kind: 'part' }, path, null)];
    return [control({ kind: 'part' }, path, {}), ...fieldsOf(path, type, value)];
  }
  if (type instanceof z.ZodEnum) return [control({ kind: 'choice', choices: type.options.map(String) })];
  if (type instanceof z.ZodBoolean) return [control({ kind: 'flag' })];
  if (type instanceof z.ZodNumber) {
    const whole = type.isInt;
    return [
      control({ kind: 'number', min: bound(type.minValue), max: bound(type.maxValue), whole, nullable }),
    ];
  }
  if (type instanceof z.ZodLiteral) return [];
  throw new Error(`no control for the option ${path}`);
}

function fieldsOf(path: string, { shape }: z.ZodObject, value: unknown): Control[] {
  const values = value as Readonly<Record<string, unknown>>;
  return Object.entries(shape).flatMap(([name, field]) =>
    controlsOf(`${path}.${name}`, field as z.ZodType, values[name]),
  );
}

/** A schema without its wrappings. */
function inside(schema: z.ZodType) {
  let type = schema;
  let nullable = false;
  let optional = false;
  let description = '';
  for (;;) {
    description ||= type.description ?? '';
    nullable ||= type instanceof z.ZodNullable;
    optional ||= type instanceof z.ZodOptional;
    if (
      !(
        type instanceof z.ZodDefault ||
        type instanceof z.ZodOptional ||
        type instanceof z.ZodNullable ||
        type instanceof z.ZodReadonly
      )
    )
      return { type, nullable, optional, description };
    type = type.def.innerType as z.ZodType;
  }
}

function bound(value: number | null): number | null {
  return value === null || !Number.isFinite(value) || Math.abs(value) >= Number.MAX_SAFE_INTEGER
    ? null
    : value;
}
