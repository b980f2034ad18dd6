import type { ModelConfig } from '../../model/config.js';
import type { AttentionKind, OrderIds } from '../../model/model-shape.js';
import { factsOf } from '../parts.js';
import { type PolicySpec, parsePolicySpec } from '../spec.js';

/** What a fit depends on. */
export type TrainedModel = Pick<
  ModelConfig,
  'name' | 'attention' | 'alsoCausal' | 'blockLength' | 'maskId' | 'shiftLogits' | 'vocab' | 'orders'
>;

/** What a model was trained to see, in words. */
function trainedFor({ attention, alsoCausal, blockLength }: TrainedModel): string {
  const own = {
    bidirectional: 'sees both ways',
    causal: 'sees only what is left of a row',
    'block-causal': `sees blocks of ${blockLength} and what is left of them`,
  }[attention];
  return alsoCausal === true ? `${own}, and was trained left to right as well` : own;
}

/** What the rows of a policy see, in words. */
const FEEDS: Readonly<Record<AttentionKind, string>> = {
  bidirectional: 'shows rows what is right of their block',
  causal: 'shows rows only what is left of them',
  'block-causal': 'shows rows their block and what is left of it',
};

/**
 * What the rows of a policy see: everything in the canvas, what is left of them, or their block and what is left of it.
 * Block-causal is a window of the block alone, on KV that was sealed block by block from position 0 on.
 */
export function attentionOf(spec: PolicySpec): readonly AttentionKind[] {
  const { window, cache, blockOrigin, speculate, refresh, final } = factsOf(spec);
  if (window.attends !== null) return window.attends;
  const ahead = window.lookahead || speculate.futureRows;
  // What is scored again later has text right of its block in view.
  const again = refresh.launches || final.sweeps;
  return [
    window.blockAlone &&
    !ahead &&
    !again &&
    cache.causalPrompt &&
    blockOrigin === 'zero' &&
    cache.seal !== 'delayed'
      ? 'block-causal'
      : 'bidirectional',
  ];
}

/**
 * Why a policy cannot decode a model; null when it can. A model that sees both ways takes every policy with masks: what it
 * is shown less of is the approximation that the policy is about.
 */
export function misfit(spec: PolicySpec, model: TrainedModel): string | null {
  const { name, attention, alsoCausal, blockLength, maskId, shiftLogits } = model;
  const { window } = factsOf(spec);
  const feeds = attentionOf(spec);
  const trained: readonly AttentionKind[] = alsoCausal === true ? [attention, 'causal'] : [attention];
  const takes = (kind: AttentionKind): boolean =>
    trained.includes(kind) || (attention === 'bidirectional' && kind === 'block-causal');
  const strange = feeds.find((kind) => !takes(kind));
  if (window.masks && maskId === null)
    return attention === 'causal'
      ? `model ${name} has no mask token, so it cannot be decoded by diffusion`
      : `model ${name} does not say which token is the mask (GGUF key tokenizer.ggml.mask_token_id), so it cannot be decoded`;
  if (strange !== undefined)
    return `model ${name} ${trainedFor(model)}, and policy ${spec.name} ${FEEDS[strange]}`;
  if (window.reach !== undefined && blockLength !== undefined && window.reach.rows > blockLength)
    return `model ${name} ${trainedFor(model)}, and policy ${spec.name} has drafts of up to ${window.reach.rows} rows that see each other`;
  // What such a model says in the row of a token is about the token after it.
  if (alsoCausal === true && factsOf(spec).commit.edit !== undefined)
    return `model ${name} ${trainedFor(model)}, so the row of a token is about the next, and policy ${spec.name} replaces tokens by what their rows say`;
  const orders = factsOf(spec).commit.orders;
  if (orders?.deleteId !== model.orders?.deleteId || orders?.splitId !== model.orders?.splitId)
    return ordersMisfit(spec.name, orders, model);
  // Masks that see only what is left of them: what WeDLM was trained for, and next-token models were not.
  const causalMasks = window.masks && feeds.every((kind) => kind === 'causal');
  if (causalMasks && (attention !== 'causal' || shiftLogits))
    return `model ${name} was not trained to fill in masks left to right, which policy ${spec.name} does`;
  const ownBlocks = window.attends === null && feeds.includes('block-causal') && blockLength !== undefined;
  if (ownBlocks && spec.blockLength !== blockLength)
    return `model ${name} ${trainedFor(model)}, and policy ${spec.name} has blocks of ${spec.blockLength}`;
  const { opens } = factsOf(spec).cache;
  if (opens === 'predicted' && !shiftLogits)
    return `model ${name} says a token in its own row, and policy ${spec.name} reads the first of a block in the row before it`;
  // A row of its own would be asked what it never learnt.
  if (ownBlocks && shiftLogits && attention === 'block-causal' && opens !== 'predicted')
    return `model ${name} predicts each token in the row before it, which for the first of a block is in the block before, and policy ${spec.name} does not read it there`;
  return null;
}

/** What rows of a policy are shown at most: the least that a model must have been trained to see, to be decoded by it. */
export function shownBy(spec: PolicySpec): Pick<TrainedModel, 'attention' | 'alsoCausal' | 'blockLength'> {
  const kinds = attentionOf(spec);
  const [attention] = kinds;
  if (attention !== 'block-causal') return { attention };
  // Drafts of self-speculation are no blocks of the policy.
  const { reach } = factsOf(spec).window;
  return kinds.length > 1
    ? { attention, alsoCausal: true, blockLength: reach?.rows }
    : { attention, blockLength: spec.blockLength };
}

/** One takes tokens for orders that are text to the other. */
function ordersMisfit(policy: string, taken: OrderIds | undefined, { name, orders }: TrainedModel): string {
  const said = ({ deleteId, splitId }: OrderIds): string => `${deleteId} for DELETE and ${splitId} for SPLIT`;
  if (orders === undefined)
    return `model ${name} has no tokens that are orders, and policy ${policy} takes ${said(taken ?? { deleteId: 0, splitId: 0 })}`;
  const has = `model ${name} writes ${said(orders)}`;
  return `${has}, and policy ${policy} takes ${taken === undefined ? 'them for text' : said(taken)}`;
}

/** A policy in the blocks that a model was trained with, where it shows rows their block alone or drafts. */
export function inBlocksOf(spec: PolicySpec, { blockLength }: Pick<ModelConfig, 'blockLength'>): PolicySpec {
  const blocks = factsOf(spec).window.attends === null && attentionOf(spec).includes('block-causal');
  const { reach } = factsOf(spec).window;
  if (reach !== undefined && blockLength !== undefined) {
    const within = Object.entries(reach.options).map(([option, rows]) => [
      option,
      Math.min(rows, blockLength),
    ]);
    return parsePolicySpec({ ...spec, window: { ...spec.window, ...Object.fromEntries(within) } });
  }
  const follows = blockLength !== undefined && blocks;
  return follows ? { ...spec, blockLength } : spec;
}

/** A policy as a model is decoded by it: in the model's blocks, where nobody asks for others, with drafts no wider than they. */
export function followModel(
  spec: PolicySpec,
  model: Pick<ModelConfig, 'blockLength'>,
  asked: { readonly blockLength: number | null; readonly options: Readonly<Record<string, unknown>> },
): PolicySpec {
  const own = inBlocksOf(spec, model);
  const { blockLength, options } = asked;
  const length =
    blockLength !== null || options.blockLength !== undefined ? spec.blockLength : own.blockLength;
  const isWindowAsked = Object.keys(options).some((path) => path.split('.')[0] === 'window');
  return { ...spec, blockLength: length, window: isWindowAsked ? spec.window : own.window };
}
