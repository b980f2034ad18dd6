/**
 * Framing of the adb device protocol (AOSP packages/modules/adb: protocol.txt, adb.h, SERVICES, file_sync_protocol.h),
 * as far as a daemon needs it.
 */
export const COMMAND = {
  connect: 0x4e584e43,
  auth: 0x48545541,
  open: 0x4e45504f,
  okay: 0x59414b4f,
  close: 0x45534c43,
  write: 0x45545257,
} as const;

/** Protocol version without checksums of the payload, and the largest payload. */
export const VERSION = 0x01000001;
export const MAX_PAYLOAD = 1024 * 1024;

const HEADER_BYTES = 24;

export interface Packet {
  readonly command: number;
  readonly arg0: number;
  readonly arg1: number;
  readonly payload: Buffer;
}

export function encodePacket(command: number, arg0: number, arg1: number, payload: Buffer): Buffer {
  const header = Buffer.alloc(HEADER_BYTES);
  header.writeUInt32LE(command, 0);
  header.writeUInt32LE(arg0, 4);
  header.writeUInt32LE(arg1, 8);
  header.writeUInt32LE(payload.length, 12);
  // The sum of the bytes is only read by peers older than VERSION, and by those before versions were exchanged.
  header.writeUInt32LE(
    payload.reduce((sum, byte) => (sum + byte) >>> 0, 0),
    16,
  );
  header.writeUInt32LE((command ^ 0xffffffff) >>> 0, 20);
  return Buffer.concat([header, payload]);
}

/** Cuts a stream of bytes into packets, or into whatever `take` finds at its start. */
export class Cutter {
  private chunks: Buffer[] = [];
  private length = 0;

  push(chunk: Buffer): void {
    this.chunks.push(chunk);
    this.length += chunk.length;
  }

  /** The first bytes without taking them; null when there are fewer. */
  peek(bytes: number): Buffer | null {
    if (this.length < bytes) return null;
    if ((this.chunks[0]?.length ?? 0) < bytes) this.chunks = [Buffer.concat(this.chunks)];
    return this.chunks[0]?.subarray(0, bytes) ?? Buffer.alloc(0);
  }

  /** Takes the first bytes; null when there are fewer. */
  take(bytes: number): Buffer | null {
    const taken = this.peek(bytes);
    if (taken === null) return null;
    const rest = this.chunks[0]?.subarray(bytes);
    this.chunks =
      rest === undefined || rest.length === 0 ? this.chunks.slice(1) : [rest, ...this.chunks.slice(1)];
    this.length -= bytes;
    return taken;
  }
}

/** Next whole packet; null when there is none yet. */
export function takePacket(cutter: Cutter): Packet | null {
  const header = cutter.peek(HEADER_BYTES);
  if (header === null) return null;
  const bytes = header.readUInt32LE(12);
  if (cutter.peek(HEADER_BYTES + bytes) === null) return null;
  const whole = cutter.take(HEADER_BYTES + bytes)!;
  return {
    command: whole.readUInt32LE(0),
    arg0: whole.readUInt32LE(4),
    arg1: whole.readUInt32LE(8),
    payload: whole.subarray(HEADER_BYTES),
  };
}
