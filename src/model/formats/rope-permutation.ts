/**
 * llama.cpp runs `rotaryPairs: 'interleaved'` families with rotary pairs of channels 2i and 2i + 1, Hugging Face with
 * half-split ones (i and i + dims / 2). Its converter therefore reorders the rows of Q and K within each head; with rows
 * and rotation changed together the logits stay the same. Channels from `dims` on do not rotate and keep their place.
 */

/** Source row of every row when half-split rows are stored interleaved (what a GGUF writer does). */
export function interleavedOrder(rows: number, headDim: number, dims = headDim): Uint32Array {
  const half = dims / 2;
  return withinHeads(rows, headDim, dims, (within) => (within % 2) * half + Math.floor(within / 2));
}

/** Source row of every row when interleaved rows are read back as half-split ones. Inverse of the above. */
export function halfSplitOrder(rows: number, headDim: number, dims = headDim): Uint32Array {
  const half = dims / 2;
  return withinHeads(rows, headDim, dims, (within) => 2 * (within % half) + Math.floor(within / half));
}

function withinHeads(
  rows: number,
  headDim: number,
  dims: number,
  source: (within: number) => number,
): Uint32Array {
  return Uint32Array.from({ length: rows }, (_, row) => {
    const within = row % headDim;
    return within < dims ? row - within + source(within) : row;
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
