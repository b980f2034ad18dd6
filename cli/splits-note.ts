/** Says how often a graph changed processors. */
export function splitsNote(splits: number): string {
  return `The graph changes processors ${splits === 1 ? 'once' : `${splits} times`} a pass.`;
}
