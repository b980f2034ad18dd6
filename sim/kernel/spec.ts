import type { WeightDType } from '../../src/model/formats/blocks/index.js';
import type { RowOperator } from '../machine/lower/row-operator.js';

/** A product y = x W^T as a backend runs it: one or more weights against the same rows. */
export interface ProductSpec {
  readonly kind: 'product';
  readonly rows: number;
  readonly inWidth: number;
  /** Outputs of each weight; more than one where the backend fuses products that share their input. */
  readonly outWidths: readonly number[];
  /** Format of the weights. */
  readonly weights: WeightDType;
  /** A residual or a bias is added on the way out. */
  readonly adds: boolean;
  /** Format of the rows, where it is not that of the stack's activations. */
  readonly input?: 'f16' | 'f32';
}

/** A product in which each row meets only the weights of the experts it was routed to. */
export interface RoutedProductSpec {
  readonly kind: 'routed-product';
  readonly rows: number;
  readonly inWidth: number;
  readonly outWidth: number;
  readonly weights: WeightDType;
  readonly experts: number;
  readonly expertsPerToken: number;
}

/** Fused attention over cached keys and values. */
export interface AttentionSpec {
  readonly kind: 'attention';
  /** Query positions. */
  readonly rows: number;
  /** Cached positions, padding of the cache included. */
  readonly keys: number;
  readonly heads: number;
  readonly kvHeads: number;
  readonly headDim: number;
}

/** An operator on rows of a matrix. */
export interface RowsSpec {
  readonly kind: 'rows';
  readonly operator: RowOperator;
  /** Rows, of a head each where the operator works on heads. */
  readonly rows: number;
  /** Elements of a row of the result. */
  readonly width: number;
  /** Rows of a position, where the operator works on heads. @defaultValue 1 */
  readonly heads?: number;
  /** Format of what is read and written. @defaultValue activations of the stack; F16 for the result of SET_ROWS */
  readonly input?: WeightDType;
  readonly result?: WeightDType;
  /** Of SOFT_MAX. @defaultValue none */
  readonly mask?: RowMask;
}

/** A mask that is added to rows of the same width. */
export interface RowMask {
  readonly format: 'f32' | 'f16';
  /** Rows of the mask: fewer than those of the operator, where heads share it. */
  readonly rows: number;
}

/**
 * A convolution over the last `taps` positions of each channel (SSM_CONV), or the CONCAT that puts the state of `taps` - 1 positions
 * before the new ones.
 */
export interface ConvSpec {
  readonly kind: 'conv' | 'concat';
  /** New positions. */
  readonly rows: number;
  readonly channels: number;
  readonly taps: number;
}

/** The mean over the products of one layer of a model, weights not counted apart. */
export interface LayerProductsSpec {
  readonly kind: 'layer-products';
  /** Preset. */
  readonly model: string;
  readonly rows: number;
  readonly weights: WeightDType;
}

/** One operator as a backend runs it, whatever model it belongs to. */
export type KernelSpec =
  | ProductSpec
  | RoutedProductSpec
  | AttentionSpec
  | RowsSpec
  | ConvSpec
  | LayerProductsSpec;
