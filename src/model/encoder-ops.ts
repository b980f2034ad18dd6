import type { PassShape } from '../pass/shape.js';
import type { ModelConfig } from './config.js';
import type { Precision } from './graph.js';
import type { EncoderShape } from './model-shape.js';
import { INPUT_IDS, PassOps } from './pass-ops.js';
import { SMALL_WEIGHT_DTYPE } from './precision.js';
import { ENCODER_IDS, embeddingId } from './weight-ids.js';

/** Operators that encoders have and decoders do not. All layers have the weights of the first. */
export class EncoderOps extends PassOps {
  constructor(
    config: ModelConfig,
    private readonly encoder: EncoderShape,
    shape: PassShape,
    precision: Precision,
  ) {
    super(config, shape, precision);
  }

  /** Tokens, positions and the first token type, added, normalised and widened to the residual. */
  embedding(): string {
    const { embeddingWidth: width, tokenTypes } = this.encoder;
    const { vocab, contextLength, hidden } = this.config;
    const { rows } = this;
    const lookUp = (
      name: string,
      table: string,
      entries: number,
      inputs: readonly string[],
      count: number,
    ) => {
      const dtype = table === embeddingId() ? this.precision.embedding : SMALL_WEIGHT_DTYPE;
      const weights = [this.weight(table, [entries, width], dtype, null)];
      const work = { macs: 0, vectorElements: count * width };
      return this.emit(
        { name, layer: null, inputs, weights },
        { kind: 'embed', entries, rows: count, width, ...work },
      );
    };
    const add = (name: string, a: string, b: string) =>
      this.emit(
        { name, layer: null, inputs: [a, b] },
        { kind: 'add', rows, width, macs: 0, vectorElements: rows * width },
      );
    const index = (id: string) => [this.input(id, [rows], 'i32')];
    const tokens = lookUp('embed', embeddingId(), vocab, index(INPUT_IDS.ids), rows);
    const places = lookUp(
      'embed_positions',
      ENCODER_IDS.positions,
      contextLength,
      index(INPUT_IDS.positions),
      rows,
    );
    const type = lookUp('embed_types', ENCODER_IDS.types, tokenTypes, [], 1);
    const sum = add('embed_sum', add('embed_typed', tokens, type), places);
    const normed = this.layernorm(ENCODER_IDS.embeddingNorm, null, sum, rows, width);
    return this.linear(ENCODER_IDS.widen, normed, rows, width, hidden);
  }

  /** LayerNorm of the residual, after an addition. */
  normAfter(layer: number, weight: 'attn_output_norm' | 'layer_output_norm', x: string): string {
    return this.layernorm(`blk.${layer}.${weight}`, layer, x, this.rows, this.config.hidden);
  }

  /** The activation between the two matrices of a feed-forward. */
  activation(layer: number, x: string): string {
    return this.gelu(`blk.${layer}.ffn_gelu`, layer, x, this.rows, this.config.ffn);
  }

  /** Rows that get logits: narrowed to the embedding, activated, normalised, and compared with every token's embedding. */
  tiedHead(x: string): string {
    const { logitsRows: rows } = this.shape;
    const { embeddingWidth: width } = this.encoder;
    const { hidden, vocab } = this.config;
    const inputs = [x, this.input(INPUT_IDS.logitsRows, [rows], 'i32')];
    const gathered = this.emit(
      { name: 'head_rows', layer: null, inputs },
      { kind: 'gather-rows', rows, width: hidden, macs: 0, vectorElements: rows * hidden },
    );
    const narrow = this.linear(ENCODER_IDS.narrow, gathered, rows, hidden, width);
    const active = this.gelu('head_gelu', null, narrow, rows, width);
    const normed = this.layernorm(ENCODER_IDS.headNorm, null, active, rows, width);
    const weights = [
      this.weight(embeddingId(), [vocab, width], this.precision.embedding, null),
      this.weight(ENCODER_IDS.headBias, [vocab], SMALL_WEIGHT_DTYPE, null),
    ];
    const work = { macs: rows * width * vocab, vectorElements: rows * vocab };
    return this.emit(
      { name: 'logits', layer: null, inputs: [normed], weights, dtype: 'f32' },
      { kind: 'matmul', role: 'head', rows, inWidth: width, outWidth: vocab, bias: true, ...work },
    );
  }

  protected override ownerOf(): number {
    return 0;
  }

  private layernorm(name: string, layer: number | null, x: string, rows: number, width: number): string {
    const owned = layer === null ? name : name.replace(`blk.${layer}.`, `blk.${this.ownerOf()}.`);
    const owner = layer === null ? null : this.ownerOf();
    const weights = ['weight', 'bias'].map((part) =>
      this.weight(`${owned}.${part}`, [width], SMALL_WEIGHT_DTYPE, owner),
    );
    const work = { macs: 0, vectorElements: rows * width };
    return this.emit(
      { name, layer, inputs: [x], weights },
      { kind: 'layernorm', rows, width, eps: this.config.rmsEps, ...work },
    );
  }

  private gelu(name: string, layer: number | null, x: string, rows: number, width: number): string {
    const work = { macs: 0, vectorElements: rows * width };
    return this.emit(
      { name, layer, inputs: [x] },
      { kind: 'gelu', rows, width, form: this.encoder.gelu, ...work },
    );
  }

  /** A product with bias outside the layers. */
  private linear(name: string, x: string, rows: number, inWidth: number, outWidth: number): string {
    const weights = [
      this.weight(`${name}.weight`, [outWidth, inWidth], this.precision.weights, null),
      this.weight(`${name}.bias`, [outWidth], SMALL_WEIGHT_DTYPE, null),
    ];
    const work = { macs: rows * inWidth * outWidth, vectorElements: rows * outWidth };
    return this.emit(
      { name, layer: null, inputs: [x], weights },
      { kind: 'matmul', role: 'factor', rows, inWidth, outWidth, bias: true, ...work },
    );
  }
}
