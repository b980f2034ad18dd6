import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DataError } from '../../src/errors.js';
import { project } from '../../src/util/project-root.js';
import { type Packet, parsePackets } from './packets.js';
import { HEXAGON_TOOLS, output, requireHexagonTools } from './toolchain.js';

/** Kernels of kernels.c, with their number in its process, the bytes of a block and its name as a symbol. */
export const HVX_KERNELS = {
  'dequantise-q4_0': { number: 0, symbol: 'dequantise_q4_tile', inBytes: 640, outBytes: 2048 },
  exp2: { number: 1, symbol: 'exp2_gather', inBytes: 128, outBytes: 128 },
} as const;

export type HvxKernel = keyof typeof HVX_KERNELS;

/** Blocks that one run takes. */
const MAX_BLOCKS = 4096;

/** Instructions and packets (groups that issue together) of one block. */
export interface BlockCount {
  readonly instructions: number;
  readonly packets: number;
}

const FLAGS = ['-mhvx', '-mhvx-length=128B', '-O2', '-ffreestanding', '-Wall', '-Werror', '-c'];

/**
 * The vector kernels compiled for Hexagon V66 and run by qemu-hexagon. Emulation: it says what instructions compute
 * and how many there are, never how long they take.
 */
export class HvxKernels {
  private readonly directory = mkdtempSync(join(tmpdir(), 'dllm-npu-hvx-'));
  private readonly binary = join(this.directory, 'kernels');

  /** Builds the kernels. @throws EnvironmentError when a tool is missing or fails */
  constructor() {
    requireHexagonTools();
    try {
      const object = this.compile('66', []);
      output(HEXAGON_TOOLS.linker, ['-static', object, '-o', this.binary]);
    } catch (error) {
      this.dispose();
      throw error;
    }
  }

  /**
   * Runs a kernel over whole blocks.
   * @param table of exp2 only: 32,768 halves
   * @throws DataError when the input is no whole number of blocks, or more than one run takes
   */
  run(kernel: HvxKernel, input: Uint8Array, table?: Uint16Array): Uint8Array {
    const { blocks, bytes } = this.message(kernel, input, table);
    const result = output(HEXAGON_TOOLS.qemu, [this.binary], bytes);
    const wanted = blocks * HVX_KERNELS[kernel].outBytes;
    if (result.length !== wanted) {
      throw new DataError(`${kernel} under ${HEXAGON_TOOLS.qemu}: ${result.length} B instead of ${wanted} B`);
    }
    return result;
  }

  /**
   * What the emulator executed inside the kernel for one block: the difference between two runs, so that what does not
   * grow with the blocks falls out. Reads the emulator's log of executed packets.
   */
  executed(kernel: HvxKernel, block: Uint8Array, table?: Uint16Array): BlockCount {
    const packets = new Map(
      this.packetsOf(this.binary, '66', HVX_KERNELS[kernel].symbol).map((packet) => [packet.address, packet]),
    );
    const counted = (blocks: number): BlockCount => {
      const input = new Uint8Array(blocks * block.length);
      for (let i = 0; i < blocks; i++) input.set(block, i * block.length);
      const log = join(this.directory, 'executed.log');
      const { bytes } = this.message(kernel, input, table);
      output(HEXAGON_TOOLS.qemu, ['-singlestep', '-d', 'exec,nochain', '-D', log, this.binary], bytes);
      const total = { instructions: 0, packets: 0 };
      for (const [, address] of readFileSync(log, 'utf8').matchAll(/\[[0-9a-f]+\/([0-9a-f]+)\//g)) {
        const packet = packets.get(Number.parseInt(address ?? '', 16));
        if (packet === undefined) continue;
        total.packets += 1;
        total.instructions += packet.instructions;
      }
      return total;
    };
    const [few, many] = [counted(1), counted(5)];
    return {
      instructions: (many.instructions - few.instructions) / 4,
      packets: (many.packets - few.packets) / 4,
    };
  }

  /** The same kernel with the float instructions of V69, which cannot be run here: it has no branches, so it is counted. */
  compiledForV69(kernel: HvxKernel): BlockCount {
    const packets = this.packetsOf(this.compile('69', ['-mhvx-qfloat']), '69', HVX_KERNELS[kernel].symbol);
    return {
      instructions: packets.reduce((sum, packet) => sum + packet.instructions, 0),
      packets: packets.length,
    };
  }

  dispose(): void {
    rmSync(this.directory, { recursive: true, force: true });
  }

  private compile(version: string, flags: readonly string[]): string {
    const object = join(this.directory, `kernels-v${version}.o`);
    const source = join(project().root, 'hw', 'hvx', 'kernels.c');
    const target = ['--target=hexagon-unknown-linux-musl', `-mv${version}`];
    output(HEXAGON_TOOLS.clang, [...target, ...FLAGS, ...flags, source, '-o', object]);
    return object;
  }

  private packetsOf(file: string, version: string, symbol: string): readonly Packet[] {
    const options = [
      '-d',
      '--no-show-raw-insn',
      `--mattr=+hvxv${version}`,
      `--disassemble-symbols=${symbol}`,
    ];
    return parsePackets(output(HEXAGON_TOOLS.objdump, [...options, file]).toString());
  }

  private message(kernel: HvxKernel, input: Uint8Array, table?: Uint16Array) {
    const { number, inBytes } = HVX_KERNELS[kernel];
    const blocks = input.length / inBytes;
    if (!Number.isInteger(blocks) || blocks < 1 || blocks > MAX_BLOCKS) {
      throw new DataError(`${kernel} takes 1 to ${MAX_BLOCKS} blocks of ${inBytes} B, got ${input.length} B`);
    }
    const head = new Uint8Array(128);
    new DataView(head.buffer).setUint32(0, number, true);
    new DataView(head.buffer).setUint32(4, blocks, true);
    const tableBytes =
      table === undefined ? [] : [new Uint8Array(table.buffer, table.byteOffset, table.byteLength)];
    return { blocks, bytes: Buffer.concat([head, ...tableBytes, input]) };
  }
}
