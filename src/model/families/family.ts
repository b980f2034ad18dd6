import type { AttentionKind } from '../model-shape.js';
import type { FactName } from './shared/facts.js';
import type { GgufKeyTable } from './shared/gguf-keys.js';
import type { KeyTable } from './shared/keys.js';
import type { TensorNames } from './shared/tensor-names.js';

/** Weights that a family may have or not. */
export type OptionalWeights = 'qkvBias' | 'outputBias' | 'ffnBias' | 'qkNorm';

/**
 * Everything this project knows about a model family and nothing else does: what its files call things, how its text is
 * framed, and what all its models are where a file does not say. Readers, writers, chat and the list of weights follow.
 */
export interface Family<Name extends string = string> {
  /** `general.architecture` of its GGUF files, and its name here. */
  readonly name: Name;
  /** The published model (a name in shapes.json) whose token ids hold in a vocabulary of its size. */
  readonly published: string;
  readonly attention: AttentionKind;
  /** Trained left to right as well, from the same weights. */
  readonly alsoCausal?: true;
  /** Positions of a block where a file does not say; of block-causal families. */
  readonly blockLength?: number;
  /** Named policy that decodes it where nobody says which: what its authors do, or this project's subject. */
  readonly policy: string;
  /** Logits of row i - 1 predict position i. */
  readonly shiftLogits: boolean;
  /** What some of its models have beside the weights of all: whether a model does shows in its tensors. */
  readonly optional: readonly OptionalWeights[];
  /** Every feed-forward is routed to experts. */
  readonly routed: boolean;
  /** Router probabilities of the chosen experts are renormalised where a file does not say; default no. */
  readonly renormalises?: true;
  /** Encoders of BERT's kind; default decoders. */
  readonly encoder?: true;
  /** Null where llama.cpp, and so GGUF, has no such family. */
  readonly gguf: null | {
    /** Order of the rows of Q and K: llama.cpp rotates channels 2i and 2i + 1 of some families, halves of others. */
    readonly rotaryPairs: 'interleaved' | 'halves';
    /** Whether llama.cpp divides its rotary frequencies by `rope_freqs.weight`. */
    readonly ropeFactors: boolean;
    /** Q, K and V of a layer are one tensor; default three. */
    readonly fusedQkv?: true;
    /** Keys behind the prefix of the architecture. */
    readonly keys: GgufKeyTable;
  };
  /** A directory of `config.json` and safetensors. */
  readonly folder: {
    /** `model_type` and `architectures` as written. */
    readonly modelType: string;
    readonly modelClass: string;
    /** Whether a `config.json` is this family's. */
    readonly recognises: (json: Readonly<Record<string, unknown>>) => boolean;
    readonly keys: KeyTable;
    /** Facts that its files must state: without them the family's own code takes values that no other code does. */
    readonly required?: readonly FactName[];
    readonly tensors: TensorNames;
    /** Where a model's adapter for drafts lies, and the one module it may change, in PEFT's words; default none. */
    readonly adapter?: { readonly folder: string; readonly target: string };
  };
  readonly text: {
    /** One user turn and the opening of the answer, as the family was trained. */
    readonly chat: (text: string) => string;
    /** How text is cut into words where a GGUF file does not say (names of llama.cpp). */
    readonly pre: string;
    /** What its vocabularies may call the mask; empty where there is none. */
    readonly masks: readonly string[];
  };
}
