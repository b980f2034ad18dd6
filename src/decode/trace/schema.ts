import { z } from 'zod';
import { type KvRef, LANES, PASS_KINDS, type PassRow, ROW_VISIBILITIES } from '../../pass/pass.js';
import { draftSchema, droppedRefreshSchema, kvEntrySchema, transitionSchema } from '../canvas/types.js';
import type { StepRecord } from '../method/step-record.js';
import { COUNTERS, RESOURCES } from '../method/timer.js';
import { policySpecSchema } from '../spec.js';

/** Version of the file format; a reader refuses others. */
export const TRACE_SCHEMA = 'dllm-npu/trace@1';

/** What earlier versions wrote for the same. */
const EARLIER = 'dllm-npu/trace/1';

const id = z.int().min(0);

export const traceHeaderSchema = z.strictObject({
  type: z.literal('header'),
  schema: z.union([
    z.literal(TRACE_SCHEMA),
    z.literal(EARLIER).transform((): typeof TRACE_SCHEMA => TRACE_SCHEMA),
  ]),
  policy: policySpecSchema,
  model: z.strictObject({ name: z.string(), hash: z.string().nullable() }),
  promptIds: z.array(id),
  genLength: z.int().min(1),
  /** First tokens of the answer, masks where they were filled in; left out without. */
  given: z.array(id).optional(),
  maskId: id,
  /** The token that ends a text, or all of them. */
  eosId: z.union([id, z.array(id)]),
  /** Seed of whatever chose the prompt; null when it was given. */
  seed: z.int().nullable(),
  engine: z.string(),
  /** Null when the decode ran without a machine. */
  timer: z.string().nullable(),
});

/** Runs of neighbours with one version: [first position, count, version]. */
const reads = z.array(z.tuple([id, z.int().min(1), id]));

const kind = z.enum(PASS_KINDS);
const rowVisibility = z.enum(ROW_VISIBILITIES);

/** Only what differs from an ordinary row is written. */
const row = z.union([
  z.tuple([id, id]),
  z.tuple([id, id, id.nullable()]),
  z.tuple([id, id, id.nullable(), id.nullable()]),
  z.tuple([id, id, id.nullable(), id.nullable(), z.array(id)]),
]);

const pass = z.strictObject({
  id: z.string(),
  kind,
  lane: z.enum(LANES),
  version: id,
  /** [position, fed token] and, if there are any, the token it asks about, the counter of its draw, and tokens it excludes. */
  rows: z.array(row),
  reads,
  visibility: z.union([
    rowVisibility,
    z.strictObject({
      groups: z.array(
        z.strictObject({ kind, version: id, rows: id, sees: z.array(id), visibility: rowVisibility }),
      ),
    }),
  ]),
  logits: z.array(id),
  /** Scale of classifier-free guidance; left out without. */
  guidance: z.number().optional(),
  /** Computed with the model's adapter for drafts; left out without. */
  adapter: z.literal(true).optional(),
});

export const traceStepSchema = z.strictObject({
  type: z.literal('step'),
  step: id,
  block: id,
  passes: z.array(pass).min(1),
  joins: z.boolean().optional(),
  outcomes: z.array(
    z.strictObject({
      passId: z.string(),
      /** [position, best token, confidence] and, if they were asked for, the probability of a given token, the drift in nats, the gap of logits, the best token beside those excluded. */
      rows: z.array(
        z.union([
          z.tuple([id, id, z.number()]),
          z.tuple([id, id, z.number(), z.number()]),
          z.tuple([id, id, z.number(), z.number().nullable(), z.number()]),
          z.tuple([id, id, z.number(), z.number().nullable(), z.number().nullable(), z.number()]),
          z.tuple([
            id,
            id,
            z.number(),
            z.number().nullable(),
            z.number().nullable(),
            z.number().nullable(),
            id,
          ]),
        ]),
      ),
    }),
  ),
  landed: z.array(z.string()),
  transitions: z.array(transitionSchema),
  dropped: z.array(droppedRefreshSchema),
  kvWrites: z.array(kvEntrySchema),
  draftWrites: z.array(z.strictObject({ position: id, draft: draftSchema.nullable() })),
  /** Row groups of the main pass that were steps: [group, number of transitions]. Left out without groups. */
  accepted: z.array(z.tuple([id, id])).optional(),
  timing: z
    .strictObject({
      startMs: z.number(),
      endMs: z.number(),
      completed: z.array(z.string()),
      busyMs: z.record(z.enum(RESOURCES), z.number()).optional(),
      counters: z.record(z.enum(COUNTERS), z.number()).optional(),
    })
    .nullable(),
});

/** Last line: a trace without it was cut off. */
export const traceEndSchema = z.strictObject({
  type: z.literal('end'),
  steps: id,
  tokens: z.array(id),
});

/** First line of a trace. */
export type TraceHeader = z.output<typeof traceHeaderSchema>;
export type TraceStepLine = z.output<typeof traceStepSchema>;
export type TraceEnd = z.output<typeof traceEndSchema>;

function toRuns(list: readonly KvRef[]): [number, number, number][] {
  const runs: [number, number, number][] = [];
  for (const { position, version } of list) {
    const last = runs.at(-1);
    if (last !== undefined && last[2] === version && last[0] + last[1] === position) last[1]++;
    else runs.push([position, 1, version]);
  }
  return runs;
}

function fromRuns(runs: readonly (readonly [number, number, number])[]): KvRef[] {
  return runs.flatMap(([first, length, version]) =>
    Array.from({ length }, (_, index) => ({ position: first + index, version })),
  );
}

function encodeRow({ position, feed, asks, draw, excludes }: PassRow): z.output<typeof row> {
  if (excludes !== undefined) return [position, feed, asks ?? null, draw ?? null, [...excludes]];
  if (draw !== undefined) return [position, feed, asks ?? null, draw];
  return asks === undefined ? [position, feed] : [position, feed, asks];
}

/** A step as it is written; keys in the order of the schema, so that reading and writing give the same bytes. */
export function encodeStep(record: StepRecord): TraceStepLine {
  const { plan, outcomes, landed, transitions, dropped, kvWrites, draftWrites, accepted, timing } = record;
  return {
    type: 'step',
    step: plan.step,
    block: plan.block,
    passes: plan.passes.map((p) => ({
      id: p.id,
      kind: p.kind,
      lane: p.lane,
      version: p.version,
      rows: p.rows.map(encodeRow),
      reads: toRuns(p.reads),
      visibility:
        typeof p.visibility === 'string'
          ? p.visibility
          : { groups: p.visibility.groups.map((group) => ({ ...group, sees: [...group.sees] })) },
      logits: [...p.logits],
      guidance: p.guidance,
      adapter: p.adapter,
    })),
    joins: plan.joins,
    outcomes: outcomes.map(({ passId, rows }) => ({
      passId,
      rows: rows.map(({ position, token, confidence, asked, drift, gap, instead }) => {
        if (instead !== undefined)
          return [position, token, confidence, asked ?? null, drift ?? null, gap ?? null, instead];
        if (gap !== undefined) return [position, token, confidence, asked ?? null, drift ?? null, gap];
        if (drift !== undefined) return [position, token, confidence, asked ?? null, drift];
        return asked === undefined ? [position, token, confidence] : [position, token, confidence, asked];
      }),
    })),
    landed: [...landed],
    transitions: [...transitions],
    dropped: [...dropped],
    kvWrites: [...kvWrites],
    draftWrites: [...draftWrites],
    accepted:
      accepted.length === 0 ? undefined : accepted.map((a): [number, number] => [a.group, a.transitions]),
    timing:
      timing === null
        ? null
        : {
            startMs: timing.startMs,
            endMs: timing.endMs,
            completed: [...timing.completed],
            busyMs: timing.busyMs,
            counters: timing.counters,
          },
  };
}

/** The inverse of `encodeStep`. */
export function decodeStep(line: TraceStepLine): StepRecord {
  return {
    plan: {
      step: line.step,
      block: line.block,
      passes: line.passes.map((p) => ({
        ...p,
        rows: p.rows.map(([position, feed, asks, draw, excludes]) => ({
          position,
          feed,
          asks: asks ?? undefined,
          draw: draw ?? undefined,
          excludes,
        })),
        reads: fromRuns(p.reads),
      })),
      joins: line.joins,
    },
    outcomes: line.outcomes.map(({ passId, rows }) => ({
      passId,
      rows: rows.map(([position, token, confidence, asked, drift, gap, instead]) => ({
        position,
        token,
        confidence,
        asked: asked ?? undefined,
        drift: drift ?? undefined,
        gap: gap ?? undefined,
        instead,
      })),
    })),
    landed: line.landed,
    transitions: line.transitions,
    dropped: line.dropped,
    kvWrites: line.kvWrites,
    draftWrites: line.draftWrites,
    accepted: (line.accepted ?? []).map(([group, transitions]) => ({ group, transitions })),
    timing: line.timing,
  };
}
