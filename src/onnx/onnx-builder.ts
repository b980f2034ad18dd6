import type { ExternalData, Region } from './external-data.js';
import {
  ATTRIBUTE_TYPES,
  type AttributeProto,
  DATA_TYPES,
  EXTERNAL,
  type NodeProto,
  type OnnxType,
  type TensorProto,
  type ValueInfoProto,
} from './onnx-proto.js';

/** Domain of ONNX Runtime's own operators. */
export const MICROSOFT = 'com.microsoft';

/** Attribute values: integers, lists of integers, floats written as `{ f: value }` or texts as `{ s: value }`. */
export type Attributes = Readonly<
  Record<string, number | readonly number[] | { readonly f: number } | { readonly s: string }>
>;

/** Collects the nodes, constants and external weights of one ONNX graph. */
export class OnnxBuilder {
  readonly nodes: NodeProto[] = [];
  readonly initializers: TensorProto[] = [];
  readonly inputs: ValueInfoProto[] = [];
  readonly outputs: ValueInfoProto[] = [];
  private readonly names = new Set<string>();
  private readonly nodeNames = new Set<string>();

  /** @param location name of the data file, beside the model */
  constructor(
    readonly data: ExternalData,
    private readonly location: string,
  ) {}

  /** Appends a node with one output, named `name`; returns that name. */
  node(
    opType: string,
    name: string,
    input: readonly string[],
    attributes: Attributes = {},
    domain = '',
  ): string {
    return this.nodeWith([name], opType, input, attributes, domain);
  }

  /** Appends a node with several outputs; the first names the node. Returns the first. */
  nodeWith(
    output: readonly string[],
    opType: string,
    input: readonly string[],
    attributes: Attributes = {},
    domain = '',
  ): string {
    const name = output[0] ?? '';
    this.nodeNames.add(name);
    this.nodes.push({ name, opType, domain, input, output, attribute: encodeAttributes(attributes) });
    return name;
  }

  /** Whether a node of that name was appended: for values that several operators share. */
  hasNode(name: string): boolean {
    return this.nodeNames.has(name);
  }

  /** A small integer constant, shared by content. */
  ints(values: readonly number[], scalar = false): string {
    const name = `const.i64.${scalar ? 's' : ''}${values.join('_')}`;
    const raw = new Uint8Array(BigInt64Array.from(values, BigInt).buffer);
    return this.constant(name, 'i64', scalar ? [] : [values.length], raw);
  }

  /** A scalar f32 constant, shared by value. */
  float(value: number): string {
    return this.constant(`const.f32.${value}`, 'f32', [], new Uint8Array(Float32Array.of(value).buffer));
  }

  /** A constant held in the model file itself. */
  constant(name: string, type: OnnxType, dims: readonly number[], rawData: Uint8Array): string {
    if (this.add(name)) this.initializers.push({ name, dims, dataType: DATA_TYPES[type], rawData });
    return name;
  }

  /** A tensor that lies in the data file. */
  external(name: string, type: OnnxType, dims: readonly number[], { offset, bytes }: Region): string {
    if (this.add(name)) {
      this.initializers.push({
        name,
        dims,
        dataType: DATA_TYPES[type],
        dataLocation: EXTERNAL,
        externalData: [
          { key: 'location', value: this.location },
          { key: 'offset', value: String(offset) },
          { key: 'length', value: String(bytes) },
        ],
      });
    }
    return name;
  }

  /** Declares a graph input. A dimension given by name may differ from run to run. */
  input(name: string, type: OnnxType, dims: readonly (number | string)[]): string {
    if (this.add(name)) this.inputs.push(valueInfo(name, type, dims));
    return name;
  }

  output(name: string, type: OnnxType, dims: readonly (number | string)[]): void {
    this.outputs.push(valueInfo(name, type, dims));
  }

  /** False when the name is taken already. */
  private add(name: string): boolean {
    if (this.names.has(name)) return false;
    this.names.add(name);
    return true;
  }
}

function encodeAttributes(attributes: Attributes): AttributeProto[] {
  return Object.entries(attributes).map(([name, value]) => {
    if (typeof value === 'number') return { name, type: ATTRIBUTE_TYPES.int, i: value };
    if ('f' in value) return { name, type: ATTRIBUTE_TYPES.float, f: value.f };
    if ('s' in value) return { name, type: ATTRIBUTE_TYPES.text, s: new TextEncoder().encode(value.s) };
    return { name, type: ATTRIBUTE_TYPES.ints, ints: value };
  });
}

function valueInfo(name: string, type: OnnxType, dims: readonly (number | string)[]): ValueInfoProto {
  const dim = dims.map((extent) =>
    typeof extent === 'number' ? { dimValue: extent } : { dimParam: extent },
  );
  return { name, type: { tensorType: { elemType: DATA_TYPES[type], shape: { dim } } } };
}
