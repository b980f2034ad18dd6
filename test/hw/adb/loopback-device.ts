import { randomBytes } from 'node:crypto';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { Channel } from './channel.js';
import { COMMAND, Cutter, encodePacket, MAX_PAYLOAD, type Packet, takePacket, VERSION } from './packets.js';
import { serveShell } from './shell-service.js';
import { SyncService } from './sync-service.js';

export interface LoopbackOptions {
  /** `unauthorized`: no key is ever accepted. `mute`: takes the connection and never answers. */
  readonly mode?: 'ready' | 'unauthorized' | 'mute';
  readonly features?: readonly string[];
  readonly model?: string;
  /** Shell that commands are given to; `/bin/sh` by default. */
  readonly shell?: string;
  /** Added to the environment of commands. */
  readonly env?: Readonly<Record<string, string>>;
}

/** What adbd of Android 10 announces, as far as it is built here. */
const FEATURES = ['shell_v2', 'cmd', 'stat_v2', 'ls_v2', 'fixed_push_mkdir'];

const AUTH_TOKEN = 1;
const AUTH_PUBLIC_KEY = 3;
const AUTH_TOKEN_BYTES = 20;

/**
 * The device side of adb on a port of this machine, for the real adb server to connect to. Its shell runs real commands
 * and its files are real files: everything a phone does but the phone. Written for the tests; it knows no other users,
 * no forwarding and no USB.
 */
export class LoopbackDevice {
  private readonly sockets = new Set<Socket>();
  private readonly server: Server;
  /** Bytes to take from the other side before the connection is cut; null when it holds. */
  private cutAfter: number | null = null;
  private sendCutAfter: number | null = null;
  /** Bytes of payload that arrived, over all connections. */
  received = 0;

  private constructor(private readonly options: LoopbackOptions) {
    this.server = createServer((socket) => this.accept(socket));
  }

  static async start(options: LoopbackOptions = {}): Promise<LoopbackDevice> {
    const device = new LoopbackDevice(options);
    await new Promise<void>((ready) => device.server.listen(0, '127.0.0.1', ready));
    return device;
  }

  /** As adb names it. */
  get serial(): string {
    return `127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  /** Whether it ever answers a connection. */
  get answers(): boolean {
    return this.options.mode !== 'mute';
  }

  /** Cuts the connection once, when it has taken this many more bytes. */
  cutAfterReceiving(bytes: number): void {
    this.cutAfter = bytes;
  }

  /** Cuts the connection once, when it has sent this many more bytes. */
  cutAfterSending(bytes: number): void {
    this.sendCutAfter = bytes;
  }

  /** Pulls the plug; the port stays open for a reconnect. */
  cut(): void {
    for (const socket of this.sockets) socket.destroy();
  }

  async stop(): Promise<void> {
    this.cut();
    await new Promise<void>((closed) => this.server.close(() => closed()));
  }

  private accept(socket: Socket): void {
    this.sockets.add(socket);
    const connection = new Connection(socket, this.options, (bytes) => this.sent(bytes));
    const cutter = new Cutter();
    socket.on('data', (chunk) => {
      this.received += chunk.length;
      if (this.cutAfter !== null) {
        this.cutAfter -= chunk.length;
        if (this.cutAfter <= 0) {
          this.cutAfter = null;
          socket.destroy();
          return;
        }
      }
      cutter.push(chunk);
      for (let packet = takePacket(cutter); packet !== null; packet = takePacket(cutter)) {
        connection.handle(packet);
      }
    });
    socket.on('error', () => {});
    socket.on('close', () => {
      this.sockets.delete(socket);
      connection.gone();
    });
  }

  private sent(bytes: number): void {
    if (this.sendCutAfter === null) return;
    this.sendCutAfter -= bytes;
    if (this.sendCutAfter > 0) return;
    this.sendCutAfter = null;
    this.cut();
  }
}

/** One connection of an adb server. */
class Connection {
  private readonly channels = new Map<number, { readonly remote: number; readonly channel: Channel }>();
  private nextId = 1;
  private limit = MAX_PAYLOAD;

  constructor(
    private readonly socket: Socket,
    private readonly options: LoopbackOptions,
    private readonly onSent: (bytes: number) => void,
  ) {}

  handle({ command, arg0, arg1, payload }: Packet): void {
    if (command === COMMAND.connect) this.connect(arg1);
    else if (command === COMMAND.auth) this.refuse(arg0);
    else if (command === COMMAND.open) this.open(arg0, payload.toString('utf8').replace(/\0$/, ''));
    else if (command === COMMAND.okay) this.channels.get(arg1)?.channel.acknowledged();
    else if (command === COMMAND.close) this.close(arg1);
    else if (command === COMMAND.write) {
      const found = this.channels.get(arg1);
      if (found === undefined) this.send(COMMAND.close, 0, arg0, Buffer.alloc(0));
      else
        found.channel.emit('data', payload, () =>
          this.send(COMMAND.okay, arg1, found.remote, Buffer.alloc(0)),
        );
    }
  }

  gone(): void {
    for (const { channel } of this.channels.values()) channel.gone();
    this.channels.clear();
  }

  private connect(limit: number): void {
    const { mode = 'ready', model = 'Loopback', features = FEATURES } = this.options;
    this.limit = limit;
    if (mode === 'mute') return;
    if (mode === 'unauthorized') {
      this.refuse(0);
      return;
    }
    const banner = `device::ro.product.name=loopback;ro.product.model=${model};ro.product.device=loopback;features=${features.join(',')}`;
    this.send(COMMAND.connect, VERSION, MAX_PAYLOAD, Buffer.from(banner));
  }

  /** Every signature is answered with another challenge; a public key waits for a person who never comes. */
  private refuse(kind: number): void {
    if (kind !== AUTH_PUBLIC_KEY) this.send(COMMAND.auth, AUTH_TOKEN, 0, randomBytes(AUTH_TOKEN_BYTES));
  }

  private open(remote: number, service: string): void {
    const local = this.nextId++;
    const none = Buffer.alloc(0);
    const channel = new Channel((kind, payload) => {
      this.send(kind === 'write' ? COMMAND.write : COMMAND.close, local, remote, payload);
      if (kind === 'close') this.channels.delete(local);
    }, this.limit);
    const shell = /^shell,v2[^:]*:([\s\S]*)$/.exec(service);
    if (shell === null && service !== 'sync:') {
      this.send(COMMAND.close, 0, remote, none);
      return;
    }
    this.channels.set(local, { remote, channel });
    if (shell === null) new SyncService(channel);
    else serveShell(channel, shell[1] ?? '', this.options);
    this.send(COMMAND.okay, local, remote, none);
  }

  private close(local: number): void {
    this.channels.get(local)?.channel.gone();
    this.channels.delete(local);
  }

  private send(command: number, arg0: number, arg1: number, payload: Buffer): void {
    if (this.socket.destroyed) return;
    this.socket.write(encodePacket(command, arg0, arg1, payload));
    this.onSent(payload.length);
  }
}
