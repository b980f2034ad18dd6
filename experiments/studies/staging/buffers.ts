/** Body of LLaDA-8B in Q4_0, MiB: 32 layers, 6.98 G weights at 4.5 bits. */
export const BODY_MIB = 3744;
/** llama.cpp's Hexagon backend allocates weights in buffers of at most this (`maxBufferBytes` of the stack), MiB. */
export const BUFFER_MIB = 1024;
/** Staging budget of Figure 13c, MiB. */
export const STAGING_MIB = 256;
export const PAGES_PER_MIB = 256;

/**
 * Microseconds for a page of 4 KiB to be pinned, entered into the NPU's page table and touched for the first time: assumed, no figure
 * of these phones was published.
 */
export const PAGE_US = [0.1, 2] as const;

/**
 * MiB of weights that stay where residents fill whole buffers only. The window is the resident budget and the staging
 * beside it; what is left of its last buffer takes the staging, and no residents.
 */
export function residentInBuffersMib(
  residentMib: number,
  bufferMib: number = BUFFER_MIB,
  stagingMib: number = STAGING_MIB,
): number {
  return Math.min(residentMib, bufferMib * Math.floor((residentMib + stagingMib) / bufferMib));
}
