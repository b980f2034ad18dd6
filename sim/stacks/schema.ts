import { z } from 'zod';
import { GROUPINGS, PLACEMENTS, SESSIONS } from './behaviours.js';
import { stackNumbersSchema } from './numbers.js';
import { supportSchema } from './support.js';

/** Version of the stack file format. */
export const STACK_SCHEMA = 'dllm-npu/software-stack@1';

const names = <T extends string>(behaviours: Readonly<Record<T, unknown>>) =>
  z.enum(Object.keys(behaviours) as [T, ...T[]]);

/** What a stack decides beside its numbers. */
export const choicesSchema = z.strictObject({
  placement: names(PLACEMENTS).describe('what runs where'),
  grouping: names(GROUPINGS).describe('how operators are put into dispatches'),
  sessions: names(SESSIONS).describe(
    'NPU processes, each with its own address window, that share the layers',
  ),
  weightReuse: z
    .enum(['none', 'all-tiles'])
    .describe(
      'whether decoded weights are used again by the next row tile: none streams and decodes every weight again for each tile; all-tiles lets a decoded chunk meet all row tiles before it is dropped',
    ),
  weightDecode: z
    .enum(['vector', 'none'])
    .describe('who turns packed weights into what the matrix unit takes: the vector threads, or nobody'),
  activationsIn: z
    .enum(['dram', 'tcm'])
    .describe(
      "dram: an operator reads its inputs from DRAM and writes its result back; tcm: a statically scheduled graph hands results on inside TCM, and the next operator's weights are loaded while one still runs",
    ),
  weightStream: z
    .enum(['queue', 'bypass', 'bulk'])
    .describe(
      'how weights come: tile by tile through one queue, through the cache or past it, or as long streams of a compiled graph',
    ),
  productActivations: z
    .enum(['dma', 'queues', 'direct'])
    .describe(
      'who moves the activations of a product on the matrix unit: a DMA queue, beside everything else; or the vector threads that convert them, which fill TCM by a queue each or read DRAM themselves, and store results themselves',
    ),
  vectorWeights: z
    .enum(['queues', 'direct'])
    .describe(
      'how products on vector threads get their weights: a DMA queue for each thread, or reads of DRAM through L2',
    ),
  kernelLoops: z
    .enum(['stages', 'htp'])
    .describe(
      "what an operator looks like inside: stages whose chunks overlap and whose vector work is spread over all threads; or the loops of llama.cpp's Hexagon kernels, which start and join threads for each phase, split vector work by rows and cut chunks as large as TCM allows",
    ),
  elementwise: z
    .enum(['l2', 'queues'])
    .describe(
      'how element-wise operators reach DRAM: through L2, or with a queue for each vector thread and buffers in TCM',
    ),
  extraOperators: z
    .strictObject({ normGain: z.boolean(), kvWrites: z.boolean() })
    .describe(
      'operators that the stack runs and the graph does not show: the gain of a norm on its own, and writes to the KV cache',
    ),
  kvElementBytes: z
    .union([z.literal(1), z.literal(2)])
    .optional()
    .describe("bytes of a cached key or value element, when they differ from those of the model's precision"),
  kvCache: z
    .enum(['npu', 'shared'])
    .optional()
    .describe(
      "whose the cache of keys and values is: the NPU's own memory (the default), or buffers that the host hands to every pass, which are flushed each time as a whole",
    ),
  threadShares: z
    .enum(['equal', 'by-speed'])
    .describe(
      'how CPU threads share an operator: equal parts, so that the slowest core decides, or by the speed of each core',
    ),
  activations: z
    .enum(['f32', 'f16'])
    .optional()
    .describe("storage of activations, when it differs from that of the model's precision"),
  staticShapes: z
    .boolean()
    .describe(
      'a compiled graph has one shape: it attends to all keys it was compiled for, its prompt passes have prefillRows rows whatever the prompt, and each of them gives logits',
    ),
  supports: supportSchema
    .nullable()
    .optional()
    .describe(
      'what the backend takes, null is everything; the rest falls back to the CPU, with a split of the graph on either side',
    ),
  productTail: z
    .enum(['padded', 'vector'])
    .optional()
    .describe(
      'rows of a product beyond whole matrix steps: padded (the default), or left to the vector threads as a product of their own',
    ),
  dispatch: z.enum(['remote-call', 'queue']).describe('how a group of operators reaches the NPU'),
});

export type StackChoices = z.infer<typeof choicesSchema>;

const head = z.strictObject({
  schema: z.literal(STACK_SCHEMA),
  name: z.string().regex(/^[a-z0-9.-]+$/, 'is made of a-z, 0-9, "." and "-"'),
  extends: z.string().optional().describe('shipped stack whose numbers and choices it takes over'),
  abstract: z.boolean().optional().describe('only to be extended'),
  description: z.string().describe('one line'),
  about: z.string().optional().describe('what it stands for, with sources'),
  numbers: stackNumbersSchema.optional(),
});

/** A change of a stack at a date: what it does differently from then on. */
const changeSchema = z.strictObject({
  date: z
    .string()
    .regex(/^\d{4}-\d{2}-\d{2}$/, 'is a date like 2026-05-28')
    .describe('when the thread was opened, or merged where that is known'),
  thread: z.string().describe('where it was proposed'),
  what: z.string().describe('one line'),
  measured: z
    .array(z.strictObject({ what: z.string(), ratio: z.tuple([z.number(), z.number()]) }))
    .optional()
    .describe('speed after over speed before as the thread gives it, from and to'),
  numbers: stackNumbersSchema.optional(),
  ...choicesSchema.partial().shape,
});

export type StackChange = z.infer<typeof changeSchema>;

/** A stack file: what it does differently from the stack it extends. */
export const stackFileSchema = head.extend({
  since: z
    .string()
    .regex(/^\d{4}-\d{2}-\d{2}$/)
    .optional()
    .describe('the date of the state that the file describes before its changes'),
  changes: z.array(changeSchema).optional().describe('by date; the stack without a date has all of them'),
  ...choicesSchema.partial().shape,
});

export type StackFile = z.infer<typeof stackFileSchema>;
