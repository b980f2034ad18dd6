import type { RopeScaling } from './rope.js';

/**
 * Routing of DeepSeek-V3 and Ling 2 (LLaDA2): a score is the sigmoid of the router's logit. Experts are chosen by scores with a bias,
 * inside the best groups, whose value is the sum of their two best; weights are the scores without it.
 */
export interface GroupRouting {
  readonly groups: number;
  readonly groupsPerToken: number;
  /** What the weights of the chosen are multiplied by. */
  readonly expertScale: number;
}

/** Mixture-of-experts feed-forward. */
export interface MoeConfig {
  readonly experts: number;
  readonly expertsPerToken: number;
  /** Inner width of one expert. */
  readonly expertFfn: number;
  /** Whether the selected router probabilities are renormalised to sum to 1 (LLaDA-MoE: no). */
  readonly renormalise: boolean;
  /** Default softmax of the router's logits, the best of all experts. */
  readonly grouped?: GroupRouting;
  /** Inner width of an expert that every row passes, whatever the router says; default none. */
  readonly sharedFfn?: number;
  /** First layers with a dense feed-forward in place of experts; default none. */
  readonly denseLayers?: number;
}

/** What mixes positions in a layer: attention with keys of its own, with an earlier layer's, or a recurrence. */
export type LayerMixer = 'attention' | 'shared-kv' | 'short-conv' | 'gated-delta';

/** Where a layer departs from the rest of its model; what is absent is the model's. */
export interface LayerShape {
  readonly mixer: LayerMixer;
  readonly headDim?: number;
  /** Heads of K and V. */
  readonly kvHeads?: number;
  /** V is K before its norm and rotation: a layer without a projection of its own for V. */
  readonly keysAsValues?: boolean;
  /** Most cached positions a row attends to. */
  readonly window?: number;
  /** Inner width of a dense feed-forward. */
  readonly ffn?: number;
  /** Dense feed-forward in a model with experts. */
  readonly dense?: boolean;
}

/**
 * Layers that are not all alike. Such a model can be timed (`buildTimedGraph`), and no engine runs it: its operators
 * are there as work, not as arithmetic.
 */
export interface TimedLayers {
  /** One entry per layer. */
  readonly shapes: readonly LayerShape[];
  /** Taps of the causal convolution of a recurrent mixer. */
  readonly convTaps?: number;
  readonly delta?: {
    readonly keyHeads: number;
    readonly valueHeads: number;
    readonly keyDim: number;
    readonly valueDim: number;
  };
  /** Q carries an output gate of the same width. */
  readonly gatedAttention?: boolean;
  /**
   * Inner width of what DiffusionGemma makes of the step before: the expected embedding under its logits, a product as large as the
   * head's, and a feed-forward of this width, once in every pass that has logits.
   */
  readonly selfConditioning?: number;
  /** Width of the embedding that each layer gets for itself (Gemma 3n, Gemma 4). */
  readonly layerInput?: number;
}

/** `gelu`: by the error function; `gelu_new`: by tanh (transformers' names). */
export type GeluForm = 'gelu' | 'gelu_new';

/**
 * ALBERT (arXiv:1909.11942): BERT's layers, a norm after every addition and positions that are looked up, which all share
 * one set of weights, and an embedding narrower than the residual.
 */
export interface EncoderShape {
  /** Width of the embeddings of tokens, positions and token types. */
  readonly embeddingWidth: number;
  /** Kinds of segments; every row here is of the first. */
  readonly tokenTypes: number;
  readonly gelu: GeluForm;
}

/** A low-rank matrix that passes which draft add to the projection after attention: x A^T B^T, with any scale inside B. */
export interface DraftAdapter {
  readonly rank: number;
}

/** Tokens that are orders to the block in which they are written, and no text (LLaDA2.2). */
export interface OrderIds {
  /** Takes its position away. */
  readonly deleteId: number;
  /** Puts a mask before the token that it was written over. */
  readonly splitId: number;
}

/** Which positions a row sees: all, those before it, or those up to the end of its block. */
export type AttentionKind = 'bidirectional' | 'causal' | 'block-causal';

/** Everything the graph builder needs to know about a model but its family. Shapes only: no weights, no file. */
export interface ModelShape {
  /** As in results. */
  readonly name: string;
  /** Number of layers. */
  readonly layers: number;
  /** Residual width. */
  readonly hidden: number;
  /** Query heads. */
  readonly heads: number;
  /** Heads of K and V; fewer than `heads` under grouped attention. */
  readonly kvHeads: number;
  /** Width of a head. */
  readonly headDim: number;
  /** Inner width of the SwiGLU feed-forward (dense models). */
  readonly ffn: number;
  /** Size of the vocabulary. */
  readonly vocab: number;
  /** Base of the rotary embedding. */
  readonly ropeTheta: number;
  /** Channels of a head that rotate; default all. */
  readonly ropeDims?: number;
  /** How positions beyond the trained context are rotated; default as they are. */
  readonly ropeScaling?: RopeScaling;
  /** Epsilon of the norms. */
  readonly rmsEps: number;
  /** Whether Q, K and V have a bias. */
  readonly qkvBias: boolean;
  /** Of the projection after attention. */
  readonly outputBias?: boolean;
  /** Of the three matrices of a dense feed-forward. */
  readonly ffnBias?: boolean;
  /** RMSNorm on every head of Q and K before RoPE. */
  readonly qkNorm: boolean;
  /** The output head uses the embedding matrix. */
  readonly tiedHead: boolean;
  /** Present in mixtures of experts. */
  readonly moe?: MoeConfig;
  /** Present in encoders of BERT's kind. */
  readonly encoder?: EncoderShape;
  /** Present in models that are only timed. */
  readonly timed?: TimedLayers;
  /** Logits of row i - 1 predict position i (Dream). */
  readonly shiftLogits: boolean;
  /** Which positions a row sees. */
  readonly attention: AttentionKind;
  /** Trained left to right as well, from the same weights (Nemotron-Labs-Diffusion). */
  readonly alsoCausal?: boolean;
  /** Present where some tokens are orders. */
  readonly orders?: OrderIds;
  /** Present where passes that draft have weights beside those of all passes. */
  readonly draftAdapter?: DraftAdapter;
  /** Positions of a block; present exactly where attention is block-causal. */
  readonly blockLength?: number;
  /** Most positions. */
  readonly contextLength: number;
  /** Id of the mask token; null for autoregressive models. */
  readonly maskId: number | null;
  /** Id of the start token; null when there is none. */
  readonly bosId: number | null;
  /** Id of the token that ends the text. */
  /** Tokens that end a text, the end-of-text token first; a file may name none. */
  readonly endIds: readonly number[];
}
