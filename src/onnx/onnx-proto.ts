import protobuf from 'protobufjs';

/**
 * The messages of ONNX that this project writes and reads. Names and numbers of the fields are those of
 * https://github.com/onnx/onnx/blob/main/onnx/onnx.proto3 (Apache-2.0, Copyright ONNX Project Contributors); messages
 * and fields that are not used here are left out, which the wire format allows.
 */
const SCHEMA = `
syntax = "proto3";
package onnx;
message StringStringEntryProto { string key = 1; string value = 2; }
message OperatorSetIdProto { string domain = 1; int64 version = 2; }
message AttributeProto {
  string name = 1; float f = 2; int64 i = 3; bytes s = 4; repeated float floats = 7; repeated int64 ints = 8;
  int32 type = 20;
}
message NodeProto {
  repeated string input = 1; repeated string output = 2; string name = 3; string op_type = 4;
  repeated AttributeProto attribute = 5; string domain = 7;
}
message TensorProto {
  repeated int64 dims = 1; int32 data_type = 2; string name = 8; bytes raw_data = 9;
  repeated StringStringEntryProto external_data = 13; int32 data_location = 14;
}
message TensorShapeProto {
  message Dimension { oneof value { int64 dim_value = 1; string dim_param = 2; } }
  repeated Dimension dim = 1;
}
message TypeProto {
  message Tensor { int32 elem_type = 1; TensorShapeProto shape = 2; }
  oneof value { Tensor tensor_type = 1; }
}
message ValueInfoProto { string name = 1; TypeProto type = 2; }
message GraphProto {
  repeated NodeProto node = 1; string name = 2; repeated TensorProto initializer = 5;
  repeated ValueInfoProto input = 11; repeated ValueInfoProto output = 12;
}
message ModelProto {
  int64 ir_version = 1; string producer_name = 2; string producer_version = 3; GraphProto graph = 7;
  repeated OperatorSetIdProto opset_import = 8; repeated StringStringEntryProto metadata_props = 14;
}
`;

/** Codes of TensorProto.DataType. */
export const DATA_TYPES = {
  f32: 1,
  u8: 2,
  i8: 3,
  u16: 4,
  i32: 6,
  i64: 7,
  f16: 10,
  bf16: 16,
  i4: 22,
} as const;

export type OnnxType = keyof typeof DATA_TYPES;

/** Codes of AttributeProto.AttributeType. */
export const ATTRIBUTE_TYPES = { float: 1, int: 2, text: 3, ints: 7 } as const;

/** TensorProto.DataLocation of a tensor whose bytes are in another file. */
export const EXTERNAL = 1;

export interface StringEntry {
  readonly key: string;
  readonly value: string;
}

export interface AttributeProto {
  readonly name: string;
  readonly type: number;
  readonly f?: number;
  readonly i?: number;
  readonly ints?: readonly number[];
}

export interface NodeProto {
  readonly name: string;
  readonly opType: string;
  readonly domain: string;
  readonly input: readonly string[];
  readonly output: readonly string[];
  readonly attribute: readonly AttributeProto[];
}

export interface TensorProto {
  readonly name: string;
  readonly dims: readonly number[];
  readonly dataType: number;
  readonly rawData?: Uint8Array;
  readonly externalData?: readonly StringEntry[];
  readonly dataLocation?: number;
}

export interface ValueInfoProto {
  readonly name: string;
  readonly type: {
    readonly tensorType: {
      readonly elemType: number;
      readonly shape: {
        readonly dim: readonly ({ readonly dimValue: number } | { readonly dimParam: string })[];
      };
    };
  };
}

export interface ModelProto {
  readonly irVersion: number;
  readonly producerName: string;
  readonly producerVersion: string;
  readonly opsetImport: readonly { readonly domain: string; readonly version: number }[];
  readonly metadataProps: readonly StringEntry[];
  readonly graph: {
    readonly name: string;
    readonly node: readonly NodeProto[];
    readonly initializer: readonly TensorProto[];
    readonly input: readonly ValueInfoProto[];
    readonly output: readonly ValueInfoProto[];
  };
}

const modelType = protobuf.parse(SCHEMA).root.lookupType('onnx.ModelProto');

/** Bytes of a model file. */
export function encodeModel(model: ModelProto): Uint8Array {
  return modelType.encode(modelType.fromObject(model)).finish();
}

/**
 * A model file's content, 64-bit integers as numbers. Fields that are not used here are dropped.
 * @throws Error when the bytes are not a message of that type
 */
export function decodeModel(bytes: Uint8Array): ModelProto {
  const options = { longs: Number, arrays: true, objects: true, defaults: true };
  // The schema above is what makes the cast true.
  return modelType.toObject(modelType.decode(bytes), options) as ModelProto;
}
