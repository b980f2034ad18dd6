import { z } from 'zod';
import { policySpecSchema } from './spec.js';

export interface OptionReason {
  readonly path: string;
  readonly reason: string;
}

/** The parts of JSON Schema that are looked at. */
interface SchemaNode {
  readonly description?: string;
  readonly properties?: Readonly<Record<string, SchemaNode>>;
  readonly anyOf?: readonly SchemaNode[];
  readonly oneOf?: readonly SchemaNode[];
  readonly const?: unknown;
}

/** The reason written beside each option in the schema of policies, for the options that `spec` has. */
export function optionReasons(spec: Readonly<Record<string, unknown>>): OptionReason[] {
  return walk(z.toJSONSchema(policySpecSchema, { io: 'output' }) as SchemaNode, spec, '');
}

function walk(node: SchemaNode, value: unknown, path: string): OptionReason[] {
  const own = node.description !== undefined && path !== '' ? [{ path, reason: node.description }] : [];
  if (typeof value !== 'object' || value === null) return own;
  const variant = pickVariant(node, value as Record<string, unknown>);
  const inner = Object.entries(variant.properties ?? {}).flatMap(([key, child]) => {
    const present = (value as Record<string, unknown>)[key];
    return present === undefined ? [] : walk(child, present, path === '' ? key : `${path}.${key}`);
  });
  return [...own, ...inner];
}

/** The alternative of a union whose `kind` is the value's. */
function pickVariant(node: SchemaNode, value: Readonly<Record<string, unknown>>): SchemaNode {
  const variants = node.oneOf ?? node.anyOf;
  if (variants === undefined) return node;
  const byKind = variants.find((variant) => variant.properties?.kind?.const === value.kind);
  return byKind ?? node;
}
