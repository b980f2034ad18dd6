import { z } from 'zod';
import { casesSchema, deciderSchema } from '../../experiments/lab/setup.js';
import { loadModel } from '../../experiments/library/model.js';
import { UsageError } from '../../src/errors.js';
import { SCORER_FORMS } from '../../src/score/scorers/registry.js';
import { checkWritableFile } from '../../src/util/check-writable.js';
import { answerAll } from '../answer-all.js';
import { candidates, type EngineWish, engineOrAuto } from '../auto-engine.js';
import { defineCommand } from '../command.js';
import { chip, chipEffects, engine, engineEffects, flag, model, path, problems, seed } from '../groups.js';
import { chooseTasks } from '../task.js';
import { tokenIds } from '../token-ids.js';

const { profile: _, ...chipOfMachine } = chip;

/** Of the problems, where none is given. */
const FIRST_SEED = casesSchema.parse({}).seed;

const options = {
  policy: z
    .string()
    .optional()
    .describe('decoding policy, see `policies` (default: that of its family, e.g. llada.cpp, sdar, wedlm)'),
  options: problems.options,
  model,
  prompt: z.string().optional().describe('text of the prompt').meta({ value: 'text' }),
  problem: z
    .int()
    .min(0)
    .optional()
    .describe('take held-out problem n of the shipped task, and score the answer'),
  seed: seed
    .removeDefault()
    .optional()
    .describe('seed of the problem (default: 1), or of what the policy draws for a prompt of your own'),
  promptIds: tokenIds.optional().describe('token ids of the whole prompt: 1,2,3'),
  prompts: path(
    'JSON Lines: "prompt", "question" or "messages", and "answer" or "target"; GSM8K and samples of lm-evaluation-harness as they are',
  ),
  scorer: z
    .string()
    .optional()
    .describe(`judges the answers of that file: ${SCORER_FORMS.join(', ')} (default: by their form)`),
  system: z.string().optional().describe('what the model is told before the prompt').meta({ value: 'text' }),
  template: deciderSchema.shape.template,
  maskToken: deciderSchema.shape.maskToken,
  genLength: problems.genLength,
  blockLength: problems.blockLength,
  steps: z.int().min(1).optional().describe('denoising steps in all, for policies with a schedule'),
  temperature: z
    .number()
    .min(0)
    .max(100)
    .optional()
    .describe("of the tokens; 0 takes the best one (default: the policy's own, mostly 0)"),
  watch: flag('show the canvas step by step'),
  fps: z.number().min(0.1).max(1000).default(8).describe('steps per second under --watch'),
  trace: path('write the trace (JSON Lines; above 4 MiB compressed, as FILE.gz)'),
  machine: z
    .string()
    .optional()
    .describe('time the decode on this modelled chip; the options below say how')
    .meta({ value: 'profile' }),
  ...engine,
  engine: engineOrAuto,
  ...chipOfMachine,
};

export const command = defineCommand({
  arguments: {
    text: z
      .string()
      .optional()
      .describe('text of the prompt (or --prompt, --prompt-ids, --prompts, --problem)')
      .meta({ value: 'prompt' }),
  },
  options,
  effects: [
    ...engineEffects((input: EngineWish) => candidates(input).slice(0, 1)),
    { options: ['scorer'], when: ({ prompts }) => prompts !== undefined, because: 'it is of --prompts' },
    { options: ['fps'], when: ({ watch }) => watch, because: 'it is of --watch' },
    {
      options: ['template', 'maskToken', 'system'],
      when: ({ promptIds: ids }) => ids === undefined,
      because: '--prompt-ids are the whole prompt',
    },
    {
      options: ['costModel', 'quant', 'stack', 'memory', 'placement', 'numbers'],
      when: ({ machine: profile }) => profile !== undefined,
      because: 'nothing is timed without --machine',
    },
    ...chipEffects,
  ],
  examples: [
    'generate --problem 3 --policy llada.cpp --watch',
    'generate --problem 3 --policy llada.cpp --option commit.visible=0.8',
    'generate "flip 2 4 8 1 9 ; count dog : dog dog" --policy block-kv',
    'generate --model llada-8b.gguf --engine ggml --threads 2 --prompt "What is 2 + 3?" --gen-length 32',
    'generate --model llada-8b.gguf --prompts gsm8k.jsonl --json',
    'generate --model llama-3-8b.gguf --prompt-ids 128000,9906 --policy autoregressive',
    'generate --problem 3 --machine sm8750 --trace run.jsonl --json',
  ],
  async run(ctx, { text, ...asked }) {
    if (text !== undefined && asked.prompt !== undefined)
      throw new UsageError('give the prompt as argument or as --prompt, not both');
    checkWritableFile(asked.trace);
    const { seed: given, ...settings } = asked;
    const tasks = chooseTasks({ ...asked, prompt: text ?? asked.prompt, seed: given ?? FIRST_SEED });
    const drawSeed = asked.problem === undefined ? given : undefined;
    if (asked.trace !== undefined && tasks.length > 1)
      throw new UsageError('--trace records one decode: give one prompt');
    const opened = await loadModel(asked.model);
    try {
      await answerAll(ctx, opened, tasks, { ...settings, drawSeed });
    } finally {
      await opened.close();
    }
  },
});
