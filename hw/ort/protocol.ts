import { z } from 'zod';

/** Element types that device graphs use, with ONNX's codes and their size in bytes. */
export const ELEMENT_TYPES = {
  f32: { code: 1, bytes: 4 },
  u8: { code: 2, bytes: 1 },
  u16: { code: 4, bytes: 2 },
  i32: { code: 6, bytes: 4 },
  f16: { code: 10, bytes: 2 },
} as const;

const elementType = z.enum(['f32', 'u8', 'u16', 'i32', 'f16']);
export type ElementType = z.infer<typeof elementType>;

/** A tensor in the region that parent and host share. */
const boundTensor = z.strictObject({
  name: z.string(),
  type: elementType,
  dims: z.array(z.int().positive()),
  /** Byte offset in the region. */
  offset: z.int().nonnegative(),
});
export type BoundTensor = z.infer<typeof boundTensor>;

const strings = z.record(z.string(), z.string());

/** What the parent asks of the host process. One answer each, in order. */
export const requestSchema = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('start'),
    /** Path of libonnxruntime. */
    library: z.string(),
    plugin: z.strictObject({ path: z.string(), name: z.string() }).nullable(),
  }),
  z.strictObject({
    kind: z.literal('open'),
    session: z.string(),
    model: z.string(),
    config: strings,
    provider: z.strictObject({ name: z.string(), options: strings }).nullable(),
    threads: z.int().positive(),
    region: z.strictObject({ path: z.string(), bytes: z.int().positive() }),
    inputs: z.array(boundTensor),
    outputs: z.array(boundTensor),
  }),
  z.strictObject({ kind: z.literal('run'), session: z.string() }),
  z.strictObject({ kind: z.literal('close'), session: z.string() }),
  z.strictObject({ kind: z.literal('stop') }),
]);
export type Request = z.infer<typeof requestSchema>;

const assignment = z.strictObject({
  provider: z.string(),
  nodes: z.int().nonnegative(),
  ops: z.array(z.string()),
});
export type Assignment = z.infer<typeof assignment>;

export const replySchema = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('started'),
    version: z.string(),
    providers: z.array(z.strictObject({ name: z.string(), vendor: z.string() })),
  }),
  z.strictObject({
    kind: z.literal('opened'),
    ms: z.number(),
    assignments: z.array(assignment),
    /** Paths of the shared libraries in the host's memory; empty where the system does not tell. */
    libraries: z.array(z.string()),
  }),
  z.strictObject({ kind: z.literal('ran'), ms: z.number() }),
  z.strictObject({ kind: z.literal('done') }),
  z.strictObject({ kind: z.literal('refused'), message: z.string() }),
]);
export type Reply = z.infer<typeof replySchema>;
