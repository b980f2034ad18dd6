import { Argument, InvalidArgumentError, Option } from 'commander';
import { z } from 'zod';
import { unknownName } from '../src/util/nearest.js';
import { plainJson } from '../src/util/plain-json.js';
import { integerText, numberText, range } from './numbers.js';

declare module 'zod' {
  interface GlobalMeta {
    /** What stands for the value in the help: `file` prints as `--out <file>`. */
    readonly value?: string;
    /** A letter for it: `r` as `-r`. */
    readonly short?: string;
    /** A second name of an option, without dashes. */
    readonly alias?: string;
    /** The name of an option that is not called as its field, without dashes. */
    readonly flag?: string;
    /** A list that is given one value at a time: `--slurm A --slurm B`. */
    readonly repeat?: boolean;
    /** What the help says about a default that another place decides. */
    readonly defaultText?: string;
  }
}

/** Arguments or options by name, in camel case; the schema of each says text, default, bounds and choices. */
export type Shape = Readonly<Record<string, z.ZodType>>;

/**
 * Options of the command line for a shape: flag, text, default, choices and bounds follow from each schema, so that
 * nothing is declared twice. A boolean is a flag (`--no-` when it is true by default), an array a list with commas.
 */
export function optionsOf(shape: Shape): Option[] {
  return Object.entries(shape).map(([name, schema]) => {
    const facts = factsOf(name, schema);
    const { type, defaultValue, meta } = facts;
    const others = [meta.short && `-${meta.short}`, meta.alias && `--${meta.alias}`].filter(Boolean);
    const flag = [...others, flagOf(name, schema)].join(', ');
    if (type instanceof z.ZodBoolean) {
      return new NamedOption(name, defaultValue === true ? flag.replace('--', '--no-') : flag, textOf(facts));
    }
    const option = new NamedOption(name, `${flag} <${placeholder(facts)}>`, textOf(facts));
    if (!facts.optional) option.makeOptionMandatory();
    // What is nothing by default has a text that says what that means.
    else if (!isNothing(defaultValue)) option.default(defaultValue, defaultText(facts));
    const read = reader(facts);
    return option.argParser((text, before) => {
      const value = read(text);
      const first = before === undefined || before === option.defaultValue;
      if (type instanceof z.ZodRecord) return first ? value : { ...(before as object), ...(value as object) };
      return meta.repeat && !first ? [...(before as unknown[]), ...(value as unknown[])] : value;
    });
  });
}

/** Arguments for a shape, in its order. An array takes the rest of the line. */
export function argumentsOf(shape: Shape): Argument[] {
  return Object.entries(shape).map(([name, schema]) => {
    const facts = factsOf(name, schema);
    const many = facts.type instanceof z.ZodArray;
    const shown = `${facts.meta.value ?? name}${many ? '...' : ''}`;
    const argument = new Argument(facts.optional ? `[${shown}]` : `<${shown}>`, textOf(facts));
    if (many) return argument;
    return argument.argParser(reader(facts));
  });
}

/** An option whose value is kept under the name of its field. */
class NamedOption extends Option {
  constructor(
    private readonly field: string,
    flags: string,
    text: string,
  ) {
    super(flags, text);
  }

  override attributeName(): string {
    return this.field;
  }
}

interface Facts {
  readonly name: string;
  /** What the user types is checked by this, default and all. */
  readonly schema: z.ZodType;
  /** The type inside defaults, optionals and transformations. */
  readonly type: z.ZodType;
  readonly optional: boolean;
  readonly defaultValue: unknown;
  readonly meta: z.GlobalMeta;
}

function factsOf(name: string, schema: z.ZodType): Facts {
  let type: z.ZodType = schema;
  let defaultValue: unknown;
  let optional = false;
  let meta: z.GlobalMeta = {};
  for (;;) {
    meta = { ...z.globalRegistry.get(type), ...meta };
    if (type instanceof z.ZodDefault) defaultValue ??= type.def.defaultValue;
    else if (type instanceof z.ZodOptional) optional = true;
    else if (type instanceof z.ZodPipe) {
      type = type.def.in as z.ZodType;
      continue;
    } else if (!(type instanceof z.ZodNullable) && !(type instanceof z.ZodReadonly)) break;
    type = type.def.innerType as z.ZodType;
  }
  return { name, schema, type, optional: optional || defaultValue !== undefined, defaultValue, meta };
}

function textOf({ type, meta }: Facts): string {
  const text = meta.description ?? '';
  const one = type instanceof z.ZodArray ? type.element : type;
  if (!(one instanceof z.ZodEnum)) return text;
  // A description that explains the choices has named them.
  const names = one.options.map(String);
  return names.every((choice) => text.includes(choice)) ? text : `${text}: ${names.join(', ')}`;
}

function placeholder({ type, meta }: Facts): string {
  if (meta.value !== undefined) return meta.value;
  if (type instanceof z.ZodNumber) return 'n';
  return type instanceof z.ZodArray ? 'list' : 'name';
}

function isNothing(value: unknown): boolean {
  return (
    value === undefined || value === null || (typeof value === 'object' && Object.keys(value).length === 0)
  );
}

function defaultText({ defaultValue, meta }: Facts): string | undefined {
  if (meta.defaultText !== undefined) return meta.defaultText;
  return Array.isArray(defaultValue) ? defaultValue.join(',') : undefined;
}

/** Text to what the schema takes; everything that the schema forbids is refused here, by option. */
function reader({ name, type, schema, meta }: Facts): (text: string) => unknown {
  const read = (text: string): unknown => {
    if (type instanceof z.ZodRecord) return pairOf(text);
    if (!(type instanceof z.ZodArray)) return readValue(name, type, text);
    const element = type.element as z.ZodType;
    return meta.repeat ? [readValue(name, element, text)] : listOf(name, element, text);
  };
  return (text) => {
    const value = read(text);
    const checked = schema.safeParse(value);
    if (!checked.success) {
      throw new InvalidArgumentError(checked.error.issues.map(({ message }) => sentence(message)).join(' '));
    }
    return value;
  };
}

function listOf(name: string, element: z.ZodType, text: string): unknown[] {
  const parts = text.split(',').map((part) => part.trim());
  if (element instanceof z.ZodNumber) return parts.flatMap((part) => range(part, boundsOf(element)));
  return parts.map((part) => readValue(name, element, part));
}

function readValue(name: string, type: z.ZodType, text: string): unknown {
  if (type instanceof z.ZodEnum) {
    const names = type.options.map(String);
    if (!names.includes(text)) throw unknownName(wordsOf(name), text, names);
    return text;
  }
  if (type instanceof z.ZodNumber) {
    return type.isInt ? integerText(text, boundsOf(type)) : numberText(text, boundsOf(type));
  }
  return text;
}

/** `stack.cpuThreads=4` as `{ 'stack.cpuThreads': 4 }`: a value that is no JSON is text. */
function pairOf(text: string): Record<string, unknown> {
  const at = text.indexOf('=');
  if (at < 1) throw new InvalidArgumentError('Expected NAME=VALUE.');
  const value = text.slice(at + 1);
  try {
    return { [text.slice(0, at)]: plainJson(value) };
  } catch {
    return { [text.slice(0, at)]: value };
  }
}

function boundsOf(type: z.ZodNumber): { readonly min: number; readonly max: number } {
  return {
    min: type.minValue ?? Number.NEGATIVE_INFINITY,
    max: type.maxValue ?? Number.MAX_SAFE_INTEGER,
  };
}

/** `performanceMode` as `performance mode`. */
function wordsOf(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
}

function sentence(message: string): string {
  return `${message.charAt(0).toUpperCase()}${message.slice(1)}${/[.!?]$/.test(message) ? '' : '.'}`;
}

/** `genLength` as `--gen-length`, unless its schema calls it otherwise. */
export function flagOf(name: string, schema?: z.ZodType): string {
  const given = schema === undefined ? undefined : factsOf(name, schema).meta.flag;
  return `--${given ?? name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}
