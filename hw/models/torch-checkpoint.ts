import { PickleGlobal, PickleReader } from './pickle.js';

/** A tensor as it lies in a checkpoint, row by row. */
export interface CheckpointTensor {
  readonly dtype: 'F32' | 'I64';
  readonly shape: readonly number[];
  readonly bytes: Buffer;
}

/** First number of the file format that PyTorch wrote before it wrote zip archives (torch/serialization.py, MAGIC_NUMBER). */
const MAGIC = 0x1950a86a20f9469cfc6cn;
const STORAGES: Readonly<Record<string, CheckpointTensor['dtype']>> = {
  'torch.FloatStorage': 'F32',
  'torch.LongStorage': 'I64',
};
const WIDTHS = { F32: 4, I64: 8 } as const;

class Storage {
  constructor(
    readonly dtype: CheckpointTensor['dtype'],
    readonly key: string,
  ) {}
}

class View {
  constructor(
    readonly storage: Storage,
    readonly offset: number,
    readonly shape: readonly number[],
    readonly strides: readonly number[],
  ) {}
}

/**
 * Tensors by name of what `torch.save` wrote before PyTorch 1.6. Four names are known, and any other in the file is
 * refused instead of run.
 * @param label what errors call the file
 * @throws DataError for damage, or what is no plain dictionary of contiguous tensors
 */
export function readTorchCheckpoint(bytes: Buffer, label: string): ReadonlyMap<string, CheckpointTensor> {
  const reader: PickleReader = new PickleReader(bytes, 0, label, { call, persistent });
  if (reader.next() !== MAGIC) throw reader.damaged("it is not in PyTorch's old format");
  // Protocol, and what machine it was.
  reader.next();
  reader.next();
  const tensors = reader.next();
  const keys = reader.next();
  if (!(tensors instanceof Map) || !Array.isArray(keys))
    throw reader.damaged('it is no dictionary of tensors');
  const views = [...tensors].map(([name, view]): [string, View] => {
    if (typeof name === 'string' && view instanceof View) return [name, view];
    throw reader.damaged(`${String(name)} is no tensor`);
  });
  const widths = new Map(views.map(([, { storage }]) => [storage.key, WIDTHS[storage.dtype]]));
  const storages = new Map<unknown, Buffer>();
  for (const key of keys) {
    const count = Number(reader.take(8).readBigInt64LE());
    const width = widths.get(String(key));
    if (width === undefined) throw reader.damaged(`storage ${String(key)} belongs to no tensor`);
    storages.set(key, reader.take(count * width));
  }
  return new Map(
    views.map(([name, view]) => {
      const { dtype, key } = view.storage;
      const width = WIDTHS[dtype];
      let expected = 1;
      for (let axis = view.shape.length - 1; axis >= 0; axis--) {
        if (view.strides[axis] !== expected) throw reader.damaged(`${name} is not contiguous`);
        expected *= view.shape[axis];
      }
      const start = view.offset * width;
      const data = storages.get(key)?.subarray(start, start + expected * width);
      if (data?.length !== expected * width) throw reader.damaged(`${name} lies outside its storage`);
      return [name, { dtype, shape: view.shape, bytes: data }];
    }),
  );
}

const sizes = (value: unknown): value is number[] =>
  Array.isArray(value) && value.every((one) => Number.isInteger(one) && one >= 0);

function call(name: string, args: readonly unknown[]): unknown {
  if (name === 'collections.OrderedDict') return new Map();
  if (name !== 'torch._utils._rebuild_tensor_v2') return undefined;
  const [storage, offset, shape, strides] = args;
  const sound = storage instanceof Storage && sizes([offset]) && sizes(shape) && sizes(strides);
  return sound && shape.length === strides.length
    ? new View(storage, Number(offset), shape, strides)
    : undefined;
}

/** A storage: its kind, and the key under which its bytes follow. */
function persistent(id: unknown): unknown {
  const [, kind, key] = Array.isArray(id) ? (id as readonly unknown[]) : [];
  const dtype = kind instanceof PickleGlobal ? STORAGES[kind.name] : undefined;
  return dtype === undefined ? null : new Storage(dtype, String(key));
}
