/** The last few things that were asked for: what is dear to make is made once, and memory stays bounded. */
export class Recent<T> {
  private readonly kept = new Map<string, T>();

  constructor(private readonly most: number) {}

  get(key: string, make: () => T): T {
    const found = this.kept.has(key) ? (this.kept.get(key) as T) : make();
    // Last in the order of the map is the latest.
    this.kept.delete(key);
    this.kept.set(key, found);
    if (this.kept.size > this.most) this.kept.delete(this.kept.keys().next().value as string);
    return found;
  }

  delete(key: string): void {
    this.kept.delete(key);
  }

  clear(): void {
    this.kept.clear();
  }
}
