import type { Model } from '../../experiments/library/model.js';
import { loadModel } from '../../experiments/library/model.js';
import { catalogueOf, describeSetting } from './catalogue.js';
import { explore } from './explore.js';
import type { Reply, Request } from './messages.js';
import { staircaseOf } from './staircase.js';

/** Answers requests, one decode at a time; a cancelled one ends between two steps. */
export class Server {
  private model: Model | null = null;
  private readonly running = new Map<number, AbortController>();
  private last: Promise<unknown> = Promise.resolve();

  /** @param mount takes the shipped files in, before the model is read from them */
  constructor(
    private readonly mount: (files: ArrayBuffer) => Promise<void>,
    private readonly reply: (reply: Reply) => void,
  ) {}

  async take(request: Request): Promise<void> {
    const id = request.kind === 'open' ? 0 : request.id;
    if (request.kind === 'cancel') return this.running.get(id)?.abort();
    // Known at once, so that a decode that waits for its turn can be cancelled.
    const controller = new AbortController();
    if (request.kind === 'decode') this.running.set(id, controller);
    try {
      await this.answer(request, controller.signal);
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      this.reply({ kind: 'failed', id, message, cancelled: controller.signal.aborted });
    } finally {
      this.running.delete(id);
    }
  }

  private async answer(request: Exclude<Request, { kind: 'cancel' }>, signal: AbortSignal): Promise<void> {
    if (request.kind === 'open') {
      await this.mount(request.files);
      this.model = await loadModel('tiny-llada');
      return this.reply({ kind: 'ready', catalogue: catalogueOf(this.model) });
    }
    const { model } = this;
    if (model === null) throw new Error('the model is not open yet');
    const { id } = request;
    if (request.kind === 'describe')
      return this.reply({ kind: 'described', id, described: describeSetting(model, request.setting) });
    if (request.kind === 'staircase')
      return this.reply({ kind: 'staircase', id, staircase: await staircaseOf(model, request.setting) });
    const turn = this.last.then(async () => {
      signal.throwIfAborted();
      return explore(model, request.setting, (step) => this.reply({ kind: 'step', id, step }), signal);
    });
    this.last = turn.catch(() => {});
    this.reply({ kind: 'done', id, outcome: await turn });
  }
}
