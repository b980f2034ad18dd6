import type { z } from 'zod';
import type { ChipSetup } from '../experiments/lab/setup.js';
import { decode } from '../experiments/library/decode.js';
import { type GenerationChoice, generationSpec } from '../experiments/library/generation-spec.js';
import { machine } from '../experiments/library/machine.js';
import { encodeFor, type Model, tokenizerFault, withEngine } from '../experiments/library/model.js';
import type { PolicySpec } from '../src/decode/spec-schema.js';
import { type Trace, writeTrace } from '../src/decode/trace/trace.js';
import type { EngineName } from '../src/engine/registry.js';
import { withMasks } from '../src/model/fill-in.js';
import { fileSha256 } from '../src/model/load.js';
import type { Answer } from './answer.js';
import { answerData, printAnswer } from './answer.js';
import { startFirst } from './auto-engine.js';
import { decided, decodeWatcher } from './decode-watcher.js';
import type { engine } from './groups.js';
import type { Context } from './io.js';
import { progressBar } from './progress.js';
import { promptNotes } from './prompt-notes.js';
import type { Task } from './task.js';
import { checkIds } from './token-ids.js';

/** How `generate` decodes, beyond the prompt. */
interface DecodeSettings
  extends Omit<z.output<z.ZodObject<typeof engine>>, 'engine'>,
    Omit<ChipSetup, 'profile'>,
    GenerationChoice {
  readonly engine: EngineName | 'auto';
  readonly model: string;
  readonly template?: string;
  readonly maskToken?: string;
  readonly prompts?: string;
  readonly watch: boolean;
  readonly fps: number;
  readonly trace?: string;
  /** Profile of the chip that times the decodes; undefined times nothing. */
  readonly machine?: string;
}

/** Decodes every task and prints what came out. */
export async function answerAll(
  ctx: Context,
  opened: Model,
  given: readonly Task[],
  asked: DecodeSettings,
): Promise<void> {
  const tasks = given.map((task) => ({ ...task, prompt: withMasks(opened, task.prompt, asked.maskToken) }));
  const spec = generationSpec(opened.config, asked);
  const prompts = encodeTasks(opened, tasks, asked);
  const fault = tokenizerFault(opened);
  if (fault !== null) ctx.note(`no text: ${fault}`);
  for (const note of promptNotes(opened, tasks)) ctx.note(note);
  const engine = await startFirst(ctx, asked, (name) => startEngine(ctx, opened, { ...asked, engine: name }));
  const bar = tasks.length > 1 ? progressBar(ctx, 'prompts', { log: true }) : undefined;
  try {
    const data: unknown[] = [];
    for (const [index, ids] of prompts.entries()) {
      bar?.update(index, prompts.length);
      const answer = await answerOne(ctx, { opened, spec, ids, task: tasks[index] }, { ...asked, engine });
      data.push(answerData(answer));
      printAnswer(ctx, answer);
    }
    ctx.data(asked.prompts === undefined ? data[0] : { prompts: data });
  } finally {
    bar?.stop();
  }
}

/** Token ids of every prompt, all checked before the first is answered. */
function encodeTasks(opened: Model, tasks: readonly Task[], asked: DecodeSettings): (readonly number[])[] {
  const { config } = opened;
  return tasks.map((task, index) => {
    const ids = task.ids ?? encodeFor(opened, task.prompt, asked.template);
    checkIds(config, ids, asked.genLength, tasks.length > 1 ? `prompt ${index + 1}: ` : '');
    return ids;
  });
}

/** Starts the engine that the decodes will find, with a progress bar: ort converts a file at its first use, ggml loads it. */
async function startEngine(ctx: Context, opened: Model, asked: Started): Promise<void> {
  const bar = progressBar(ctx, asked.engine === 'ort' ? 'MB converted' : 'MB loaded');
  const hooks = {
    signal: ctx.signal,
    onProgress: (done: number, total: number) => bar.update(Math.round(done / 1e6), Math.round(total / 1e6)),
    onFallback: (note: string) => ctx.note(note),
    onMemory: (note: string) => ctx.note(note),
  };
  await withEngine(opened, asked, hooks, () => Promise.resolve()).finally(() => bar.stop());
}

/** The settings, with the engine that was chosen. */
type Started = DecodeSettings & { readonly engine: EngineName };

interface Question {
  readonly opened: Model;
  readonly spec: PolicySpec;
  readonly ids: readonly number[];
  readonly task: Task;
}

async function answerOne(ctx: Context, question: Question, asked: Started): Promise<Answer> {
  const { opened, spec, ids, task } = question;
  const watcher = asked.watch ? decodeWatcher(ctx, { ...asked, opened, spec }) : undefined;
  const bar = asked.watch || asked.prompts !== undefined ? undefined : progressBar(ctx, 'tokens');
  const { engine, backend, threads, compute, device, genLength } = asked;
  const { machine: profile, costModel: shapes, quant, stack, memory, placement, numbers: set } = asked;
  try {
    const began = performance.now();
    const run = decode({
      model: opened,
      engine,
      backend,
      threads,
      compute,
      device,
      genLength,
      policy: spec,
      prompt: ids,
      timer:
        profile === undefined
          ? undefined
          : machine({ profile, shapes, quant, stack, memory, placement, set }),
      signal: ctx.signal,
    });
    // Whoever watches may be slower than the decode.
    const ended = run.result.then(() => performance.now());
    ended.catch(() => {});
    for await (const { canvas, record } of run) {
      await watcher?.pace();
      watcher?.show(canvas, record.timing?.endMs ?? null);
      bar?.update(decided(canvas), canvas.genLength);
    }
    const { decode: result, text, trace, machine: timer, ranOn } = await run.result;
    const seconds = ((await ended) - began) / 1000;
    if (asked.trace !== undefined) await saveTrace(ctx, asked.trace, trace, opened);
    return {
      config: opened.config,
      text,
      task,
      policy: spec.name,
      engine: trace.header.engine,
      result,
      seconds,
      ranOn,
      machine: timer?.name ?? null,
      trace: asked.trace,
    };
  } finally {
    watcher?.close();
    bar?.stop();
  }
}

async function saveTrace(ctx: Context, file: string, trace: Trace, { weightsPath }: Model): Promise<void> {
  const { header } = trace;
  const identified = { ...header, model: { ...header.model, hash: await fileSha256(weightsPath) } };
  ctx.note(`trace written to ${writeTrace(file, { ...trace, header: identified })}`);
}
