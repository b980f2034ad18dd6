/**
 * llama.cpp runs `llada` and `llama` with interleaved rotary pairs (channels 2i and 2i + 1), Hugging Face with
 * half-split ones (i and i + headDim / 2). Its converter therefore reorders the rows of Q and K within each head;
 * with rows and rotation changed together the logits stay the same.
 */

/** Source row of every row when half-split rows are stored interleaved (what a GGUF writer does). */
export function interleavedOrder(rows: number, headDim: number): Uint32Array {
  const half = headDim / 2;
  return Uint32Array.from({ length: rows }, (_, row) => {
    const head = row - (row % headDim);
    const within = row % headDim;
    return head + (within % 2) * half + Math.floor(within / 2);
  });
}

/** Source row of every row when interleaved rows are read back as half-split ones. Inverse of the above. */
export function halfSplitOrder(rows: number, headDim: number): Uint32Array {
  const half = headDim / 2;
  return Uint32Array.from({ length: rows }, (_, row) => {
    const head = row - (row % headDim);
    const within = row % headDim;
    return head + 2 * (within % half) + Math.floor(within / half);
  });
}

/** Rows of a stored matrix in another order. Rows hold whole blocks, so any dtype can be reordered as bytes. */
export function reorderRows(bytes: Uint8Array, order: Uint32Array): Uint8Array {
  const rowBytes = bytes.length / order.length;
  const out = new Uint8Array(bytes.length);
  order.forEach((source, row) => {
    out.set(bytes.subarray(source * rowBytes, (source + 1) * rowBytes), row * rowBytes);
  });
  return out;
}
