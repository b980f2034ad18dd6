import * as tf from '@tensorflow/tfjs-core';
import { useBackend } from '../engine/tfjs/backend.js';
import type { TfjsBackend } from '../engine/tfjs/backends.js';
import type { ModelConfig } from '../model/config.js';
import { LLADA } from '../model/families/llada.js';
import type { WeightSource } from '../model/weights.js';
import { generateProblem, LIMITS, type ProblemSet } from '../score/problems.js';
import { Random } from '../score/random.js';
import { vocabularySize, WordTable } from '../score/tokenizer-json.js';
import { END_ID, MASK_ID, START_ID } from '../score/vocabulary.js';
import { lossAndGradients } from './loss.js';
import { type Batch, makeBatch, sampleLayout } from './objective.js';
import { DEFAULT_OPTIMIZER, Optimizer, type OptimizerOptions } from './optimizer.js';
import { initialWeights, TrainableWeights } from './trainable-weights.js';
import type { TrainingTask } from './training-task.js';

export interface TrainOptions {
  /** Shape of the model; the vocabulary is always the tasks'. */
  layers: number;
  hidden: number;
  heads: number;
  ffn: number;
  steps: number;
  /** Sequences per step. */
  batch: number;
  set: ProblemSet;
  /** In place of the problems of the set: its examples are shown again and again, in an order of their own each time. */
  task?: TrainingTask;
  seed: number;
  warmup: number;
  /** Last share of the steps, over which the learning rate falls linearly to zero. */
  decay: number;
  backend: TfjsBackend;
  optimizer: OptimizerOptions;
  /** Stops after the current step; the weights so far are returned. */
  signal?: AbortSignal;
}

export interface TrainProgress {
  step: number;
  steps: number;
  loss: number;
  /** Rows fed through the model so far. */
  tokens: number;
  seconds: number;
}

export interface TrainedModel {
  config: ModelConfig;
  weights: WeightSource;
  losses: number[];
  /** What it was trained on; undefined for the problems of the shipped task. */
  task?: TrainingTask;
}

/** Of the shipped task: its longest prompt and its canvas, with room. */
const CONTEXT_LENGTH = 256;

export const DEFAULT_TRAINING: TrainOptions = {
  layers: 2,
  hidden: 64,
  heads: 2,
  ffn: 192,
  steps: 100,
  batch: 8,
  set: 'short',
  seed: 7,
  warmup: 20,
  decay: 0.4,
  backend: 'wasm',
  optimizer: DEFAULT_OPTIMIZER,
};

/** The configuration that `trainModel` trains. */
export function trainingConfig(
  options: Pick<TrainOptions, 'layers' | 'hidden' | 'heads' | 'ffn' | 'task'>,
): ModelConfig {
  const { task } = options;
  return {
    name: task?.name ?? 'tiny-llada',
    arch: LLADA.name,
    layers: options.layers,
    hidden: options.hidden,
    heads: options.heads,
    kvHeads: options.heads,
    headDim: options.hidden / options.heads,
    ffn: options.ffn,
    vocab: task === undefined ? new WordTable().size : vocabularySize(task.tokenizer),
    ropeTheta: 10000,
    rmsEps: 1e-5,
    qkvBias: false,
    qkNorm: false,
    tiedHead: true,
    shiftLogits: LLADA.shiftLogits,
    attention: LLADA.attention,
    contextLength: Math.max(CONTEXT_LENGTH, task?.rows ?? 0),
    maskId: MASK_ID,
    bosId: START_ID,
    endIds: [END_ID],
  };
}

/**
 * Trains a masked-diffusion model on fresh random problems, through the operator graph that the engine runs.
 * For smoke runs: the shipped weights come from the PyTorch recipe in `tools/train`, which is some hundred times
 * faster and checked against this path.
 */
export async function trainModel(
  overrides: Partial<TrainOptions> = {},
  onProgress: (progress: TrainProgress) => void = () => {},
): Promise<TrainedModel> {
  const options = { ...DEFAULT_TRAINING, ...overrides };
  await useBackend(options.backend);
  const config = trainingConfig(options);
  const random = new Random(options.seed);
  const weights = new TrainableWeights(config, initialWeights(config, random));
  const optimizer = new Optimizer(options.optimizer);
  const examples = new ExampleStream(options);
  const losses: number[] = [];
  const began = performance.now();
  let tokens = 0;
  try {
    for (let step = 0; step < options.steps && options.signal?.aborted !== true; step++) {
      const batch = examples.next(random);
      const { loss, gradients } = lossAndGradients(config, weights, batch);
      optimizer.apply(weights.entries(), gradients, learningRate(step, options));
      tf.dispose([...gradients.values()]);
      losses.push(loss);
      tokens += batch.ids.length;
      const seconds = (performance.now() - began) / 1000;
      onProgress({ step: step + 1, steps: options.steps, loss, tokens, seconds });
      // Lets signals and timers run: a step is one long synchronous computation.
      await new Promise((resolve) => setImmediate(resolve));
    }
    return { config, weights: weights.snapshot(`${config.name} (trained here)`), losses, task: options.task };
  } finally {
    weights.dispose();
    optimizer.dispose();
  }
}

/** Warm-up, constant, then linear decay: a factor of both learning rates. */
export function learningRate(
  step: number,
  { steps, warmup, decay }: Pick<TrainOptions, 'steps' | 'warmup' | 'decay'>,
): number {
  return Math.min(1, (step + 1) / warmup, (steps - step) / (steps * decay));
}

/** Examples in batches of one prompt length, so that no row is padding: fresh problems, or those of a task over and over. */
class ExampleStream {
  private readonly table = new WordTable();
  private readonly waiting = new Map<number, { prompt: number[]; response: number[] }[]>();
  private readonly canvas: number;
  private readonly wordIds: readonly number[];
  private order: readonly number[] = [];
  private index = 0;

  constructor(private readonly options: TrainOptions) {
    const { task, set } = options;
    this.canvas = task?.canvas ?? LIMITS[set].canvas;
    this.wordIds = task?.wordIds ?? this.table.wordIds();
  }

  private example(index: number, random: Random): { prompt: number[]; response: number[] } {
    const { task, set, seed } = this.options;
    if (task !== undefined) {
      const at = index % task.examples.length;
      if (at === 0) this.order = random.shuffle([...task.examples.keys()]);
      const { prompt, response } = task.examples[this.order[at]];
      return { prompt: [...prompt], response: [...response] };
    }
    const problem = generateProblem(seed, index, set, 'train');
    return {
      prompt: this.table.encodePrompt(problem.prompt),
      response: this.table.encode(problem.response),
    };
  }

  next(random: Random): Batch {
    const { batch } = this.options;
    for (;;) {
      const { prompt, response } = this.example(this.index++, random);
      while (response.length < this.canvas) response.push(END_ID);
      const group = this.waiting.get(prompt.length) ?? [];
      group.push({ prompt, response });
      this.waiting.set(prompt.length, group);
      if (group.length < batch) continue;
      this.waiting.delete(prompt.length);
      return makeBatch(
        group.map((p) => p.prompt),
        group.map((p) => p.response),
        sampleLayout(random),
        { maskId: MASK_ID, wordIds: [...this.wordIds, END_ID] },
        random,
      );
    }
  }
}
