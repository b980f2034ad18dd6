import worker from 'virtual:worker';
import { bytesOfBase64 } from '../node/base64.js';
import type { Setting } from '../setting/setting.js';
import type { Reply, Request } from '../worker/messages.js';
import type { Catalogue, Described, OutcomeView, StaircaseView, StepView } from '../worker/view.js';

/** The shipped files, packed and base64: what files.js beside the page leaves. */
declare global {
  var dllmNpuFiles: string | undefined;
}

/** A decode under way. */
export interface Decode {
  /** Settles with the outcome; rejects with what went wrong, or `Cancelled`. */
  readonly outcome: Promise<OutcomeView>;
  cancel(): void;
}

/** A decode that was cancelled: nothing went wrong. */
export class Cancelled extends Error {}

interface Waiting {
  readonly resolve: (reply: Reply) => void;
  readonly reject: (error: Error) => void;
  readonly onStep?: (step: StepView) => void;
}

/** The worker, as calls. It decodes one thing after the other. */
export class Client {
  private readonly worker: Worker;
  private readonly waiting = new Map<number, Waiting>();
  private next = 1;

  constructor() {
    // From a blob: a page that was opened from a disk may start no other.
    this.worker = new Worker(URL.createObjectURL(new Blob([worker], { type: 'text/javascript' })));
    this.worker.onmessage = ({ data }: MessageEvent<Reply>) => this.take(data);
  }

  async open(): Promise<Catalogue> {
    const { dllmNpuFiles: files } = globalThis;
    if (files === undefined) throw new Error('files.js is missing beside the page');
    const bytes = bytesOfBase64(files);
    globalThis.dllmNpuFiles = undefined;
    const reply = await this.ask(0, { kind: 'open', files: bytes.buffer }, undefined, [bytes.buffer]);
    if (reply.kind !== 'ready') throw new Error(`unexpected reply ${reply.kind}`);
    return reply.catalogue;
  }

  /** @throws Error with what is wrong with a setting */
  async describe(setting: unknown): Promise<Described> {
    const id = this.next++;
    const reply = await this.ask(id, { kind: 'describe', id, setting });
    if (reply.kind !== 'described') throw new Error(`unexpected reply ${reply.kind}`);
    return reply.described;
  }

  /** @throws Error when the model does not fit the machine */
  async staircase(setting: Setting): Promise<StaircaseView> {
    const id = this.next++;
    const reply = await this.ask(id, { kind: 'staircase', id, setting });
    if (reply.kind !== 'staircase') throw new Error(`unexpected reply ${reply.kind}`);
    return reply.staircase;
  }

  decode(setting: Setting, onStep: (step: StepView) => void): Decode {
    const id = this.next++;
    const outcome = this.ask(id, { kind: 'decode', id, setting }, onStep).then((reply) => {
      if (reply.kind !== 'done') throw new Error(`unexpected reply ${reply.kind}`);
      return reply.outcome;
    });
    return { outcome, cancel: () => this.send({ kind: 'cancel', id }) };
  }

  private ask(
    id: number,
    request: Request,
    onStep?: (step: StepView) => void,
    transfer: Transferable[] = [],
  ): Promise<Reply> {
    return new Promise((resolve, reject) => {
      this.waiting.set(id, { resolve, reject, onStep });
      this.send(request, transfer);
    });
  }

  private send(request: Request, transfer: Transferable[] = []): void {
    this.worker.postMessage(request, transfer);
  }

  private take(reply: Reply): void {
    const id = reply.kind === 'ready' ? 0 : reply.id;
    const waiting = this.waiting.get(id);
    if (waiting === undefined) return;
    if (reply.kind === 'step') {
      waiting.onStep?.(reply.step);
      return;
    }
    this.waiting.delete(id);
    if (reply.kind === 'failed')
      waiting.reject(reply.cancelled ? new Cancelled(reply.message) : new Error(reply.message));
    else waiting.resolve(reply);
  }
}
