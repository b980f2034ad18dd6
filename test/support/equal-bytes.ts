import { expect } from 'vitest';

/**
 * Arrays of numbers with the same bytes are equal, which is told at once: the matcher looks at one element after the other,
 * and took ten seconds of processor time for the weights of the smallest model. Where bytes differ it looks, and says where.
 */
function haveSameBytes(a: unknown, b: unknown): true | undefined {
  const isSame =
    ArrayBuffer.isView(a) &&
    ArrayBuffer.isView(b) &&
    a.constructor === b.constructor &&
    Buffer.from(a.buffer, a.byteOffset, a.byteLength).equals(
      Buffer.from(b.buffer, b.byteOffset, b.byteLength),
    );
  return isSame ? true : undefined;
}

/** Set up for every file of a worker; once, as the matchers outlive a file. */
const done = Symbol.for('dllm-npu.equal-bytes');
if (!(done in globalThis)) {
  expect.addEqualityTesters([haveSameBytes]);
  Object.defineProperty(globalThis, done, { value: true });
}
