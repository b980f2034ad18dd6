/** Instructions that the core issues together. */
export interface Packet {
  readonly address: number;
  /** Constant extenders and no-ops, which do nothing of their own, are not counted. */
  readonly instructions: number;
}

/** Packets of a Hexagon disassembly by llvm-objdump: `address: { instruction` up to the closing brace. */
export function parsePackets(disassembly: string): readonly Packet[] {
  const packets: Packet[] = [];
  let open: { address: number; instructions: number } | undefined;
  for (const line of disassembly.split('\n')) {
    const match = /^\s*([0-9a-f]+):\s*(\{?)\s*(.*?)\s*(\}?)\s*(?::endloop\d+)?\s*$/.exec(line);
    if (match === null) continue;
    const [, address = '', begins, text = '', ends] = match;
    if (begins === '{') open = { address: Number.parseInt(address, 16), instructions: 0 };
    if (open === undefined) continue;
    if (text !== '' && text !== 'nop' && !text.startsWith('immext')) open.instructions += 1;
    if (ends === '}') {
      packets.push(open);
      open = undefined;
    }
  }
  return packets;
}
