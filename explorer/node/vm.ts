/**
 * Runs the call that `within` compiles, without its limit of time: the page opens the shipped model, and nobody else's patterns. It
 * runs in a worker, which the page can end.
 */
export class Script {
  readonly #name: string;

  constructor(call: string) {
    this.#name = call.replace(/\(\)$/, '');
  }

  runInThisContext(): void {
    (globalThis as unknown as Record<string, () => void>)[this.#name]();
  }
}
