import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readTorchCheckpoint } from '../../hw/models/torch-checkpoint.js';
import { DataError } from '../../src/errors.js';

// Operations of a pickle, by hand (CPython's Lib/pickletools.py).
const op = (code: number, ...rest: readonly (Buffer | number[])[]): Buffer =>
  Buffer.concat([Buffer.of(code), ...rest.map((part) => Buffer.from(part))]);
const u32 = (value: number): Buffer => Buffer.from(Uint32Array.of(value).buffer);
const text = (value: string): Buffer => op(0x58, u32(Buffer.byteLength(value)), Buffer.from(value));
const int = (value: number): Buffer => op(0x4a, u32(value));
const long = (...bytes: readonly number[]): Buffer => op(0x8a, [bytes.length, ...bytes]);
const name = (module: string, of: string): Buffer => op(0x63, Buffer.from(`${module}\n${of}\n`));
const tuple = (...items: readonly Buffer[]): Buffer => Buffer.concat([op(0x28), ...items, op(0x74)]);
const list = (...items: readonly Buffer[]): Buffer => Buffer.concat([op(0x5d), op(0x28), ...items, op(0x65)]);
const called = (callee: Buffer, ...args: readonly Buffer[]): Buffer =>
  Buffer.concat([callee, tuple(...args), op(0x52)]);
const pickle = (value: Buffer): Buffer => Buffer.concat([op(0x80, [2]), value, op(0x2e)]);

const MAGIC = pickle(long(0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19));
const storage = (kind: string, key: string, count: number): Buffer =>
  Buffer.concat([
    tuple(text('storage'), name('torch', kind), text(key), text('cpu'), int(count), op(0x4e)),
    op(0x51),
  ]);
const REBUILD = name('torch._utils', '_rebuild_tensor_v2');
const ORDERED = called(name('collections', 'OrderedDict'));

interface Saved {
  readonly strides?: readonly number[];
  readonly offset?: number;
  readonly rebuild?: Buffer;
}

/** A matrix of 2 x 3 behind one value in a storage of 7, as `torch.save` of PyTorch 1.5 lays it out. */
function saved({ strides = [3, 1], offset = 1, rebuild = REBUILD }: Saved = {}): Buffer {
  const shape = tuple(int(2), int(3));
  const made = [storage('FloatStorage', 'a', 7), int(offset), shape, tuple(...strides.map(int))];
  const tensor = called(rebuild, ...made, op(0x89), ORDERED);
  const state = Buffer.concat([ORDERED, op(0x28), text('w'), tensor, op(0x75)]);
  const count = Buffer.alloc(8);
  count.writeBigInt64LE(7n);
  const values = Buffer.from(Float32Array.of(9, 1, 2, 3, 4, 5, 6).buffer);
  return Buffer.concat([
    ...[MAGIC, pickle(int(1001)), pickle(op(0x7d)), pickle(state), pickle(list(text('a')))],
    ...[count, values],
  ]);
}

describe('a checkpoint of PyTorch before 1.6', () => {
  it('has its tensors read where they lie', () => {
    const tensors = readTorchCheckpoint(saved(), 'file');
    expect([...tensors.keys()]).toEqual(['w']);
    const { dtype, shape, bytes } = tensors.get('w')!;
    expect([dtype, shape]).toEqual(['F32', [2, 3]]);
    expect([...new Float32Array(Uint8Array.from(bytes).buffer)]).toEqual([1, 2, 3, 4, 5, 6]);
  });

  it.each([
    [{ rebuild: name('os', 'system') }, /names os\.system, which is not called here/],
    [{ strides: [1, 2] }, /w is not contiguous/],
    [{ offset: 2 }, /w lies outside its storage/],
  ])('is refused for %j', (change, message) => {
    expect(() => readTorchCheckpoint(saved(change), 'file')).toThrow(message);
  });

  it('is read or refused, whatever its bytes are', () => {
    const whole = saved();
    const change = fc.tuple(fc.nat(whole.length - 1), fc.nat(255));
    fc.assert(
      fc.property(fc.array(change, { maxLength: 4 }), fc.nat(whole.length), (changes, cut) => {
        const bytes = Buffer.from(whole);
        for (const [at, value] of changes) bytes[at] = value;
        try {
          readTorchCheckpoint(cut % 3 === 0 ? bytes.subarray(0, cut) : bytes, 'file');
        } catch (error) {
          expect(error).toBeInstanceOf(DataError);
        }
      }),
      { numRuns: Number(process.env.DLLM_FUZZ_RUNS ?? 2000) },
    );
  });
});
