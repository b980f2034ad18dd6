/** Architectures this project can describe. One `OpGraph` builder serves all of them. */
export type Architecture = 'llada' | 'dream' | 'llada-moe' | 'llama';

/** Mixture-of-experts feed-forward (LLaDA-MoE). */
export interface MoeConfig {
  readonly experts: number;
  readonly expertsPerToken: number;
  /** Inner width of one expert. */
  readonly expertFfn: number;
  /** Whether the selected router probabilities are renormalised to sum to 1 (LLaDA-MoE: no). */
  readonly renormalise: boolean;
}

/**
 * Everything the graph builder needs to know about a model. Shapes only: no weights, no file.
 */
export interface ModelConfig {
  readonly name: string;
  readonly arch: Architecture;
  readonly layers: number;
  /** Residual width. */
  readonly hidden: number;
  readonly heads: number;
  readonly kvHeads: number;
  readonly headDim: number;
  /** Inner width of the SwiGLU feed-forward (dense models). */
  readonly ffn: number;
  readonly vocab: number;
  readonly ropeTheta: number;
  readonly rmsEps: number;
  readonly qkvBias: boolean;
  /** RMSNorm on every head of Q and K before RoPE. */
  readonly qkNorm: boolean;
  /** The output head uses the embedding matrix. */
  readonly tiedHead: boolean;
  readonly moe?: MoeConfig;
  /** Logits of row i - 1 predict position i (Dream). */
  readonly shiftLogits: boolean;
  readonly attention: 'bidirectional' | 'causal';
  readonly contextLength: number;
  /** Id of the mask token; null for autoregressive models. */
  readonly maskId: number | null;
  readonly bosId: number | null;
  readonly eosId: number;
}
