import { EventEmitter } from 'node:events';
import { MAX_PAYLOAD } from './packets.js';

/**
 * One stream between the adb server and a service of the device. A side sends the next packet only when the last was
 * acknowledged; the device acknowledges when its service has taken the bytes.
 */
export class Channel extends EventEmitter<{ data: [Buffer, () => void]; close: [] }> {
  private queue: { readonly payload: Buffer; readonly sent: () => void }[] = [];
  private waiting = false;
  private ended = false;

  constructor(
    private readonly transmit: (kind: 'write' | 'close', payload: Buffer) => void,
    private readonly limit: number,
  ) {
    super();
  }

  /** Resolves when the other side has taken all of it. */
  write(bytes: Buffer): Promise<void> {
    const size = Math.min(this.limit, MAX_PAYLOAD);
    let last: Promise<void> = Promise.resolve();
    for (let at = 0; at < bytes.length; at += size) {
      last = new Promise((sent) => this.queue.push({ payload: bytes.subarray(at, at + size), sent }));
    }
    this.pump();
    return last;
  }

  /** The other side has taken the last packet. */
  acknowledged(): void {
    this.waiting = false;
    this.queue.shift()?.sent();
    this.pump();
  }

  /** Closes when everything written is taken. */
  async end(): Promise<void> {
    await this.write(Buffer.alloc(0));
    while (this.queue.length > 0 && !this.ended) await new Promise((next) => setTimeout(next, 2));
    if (!this.ended) this.transmit('close', Buffer.alloc(0));
    this.gone();
  }

  /** The connection or the other side's end of the stream is gone. */
  gone(): void {
    if (this.ended) return;
    this.ended = true;
    for (const { sent } of this.queue.splice(0)) sent();
    this.emit('close');
  }

  private pump(): void {
    const next = this.queue[0];
    if (next === undefined || this.waiting || this.ended) return;
    this.waiting = true;
    this.transmit('write', next.payload);
  }
}
