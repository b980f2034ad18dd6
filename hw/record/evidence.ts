import { z } from 'zod';

/** QNN backend that a library file implements; `none`: no QNN at all. */
const BACKENDS = ['none', 'cpu', 'gpu', 'htp', 'other'] as const;
export type Backend = (typeof BACKENDS)[number];

/** What was observed about a run. Absent knowledge is null and never counts in favour of a higher class. */
export const evidenceSchema = z.strictObject({
  /** Architecture of the machine the graph ran on. */
  targetArch: z.enum(['arm64', 'x64', 'other']),
  backend: z.enum(BACKENDS),
  /** File of the backend, when there is one. */
  backendFile: z.string().nullable(),
  /** Whether the runtime was forbidden to run anything on its own CPU provider. */
  fallbackDisabled: z.boolean(),
  /** Whether the graph or session was created, or the tool's log shows a session on the accelerator. */
  created: z.boolean(),
  /** Nodes that the runtime assigned to something else than the backend; null when it does not tell. */
  foreignNodes: z.int().nonnegative().nullable(),
  /** SoC id read from the device itself. */
  socId: z.string().nullable(),
  /** Accelerator cycles of the run's own profile. */
  acceleratorCycles: z.number().nonnegative().nullable(),
  /** Set when an instruction emulator ran the code. */
  emulator: z.string().optional(),
  /**
   * Set when every time of the record is that of one operator, from the accelerator's own counters. What ran elsewhere
   * is then not in the record, and whether anything might have is no question.
   */
  perOperator: z.boolean().optional(),
  /** What ggml counted where it ran the graph in this process. */
  ggml: z
    .strictObject({
      /** By ggml's name. */
      device: z.string(),
      type: z.enum(['cpu', 'gpu', 'accelerator']),
      operators: z.int().nonnegative(),
      /** Of them, those that the device has no kernel for and that the CPU ran, by name. */
      onCpu: z.record(z.string(), z.int().positive()),
    })
    .optional(),
});
export type Evidence = Readonly<z.infer<typeof evidenceSchema>>;
