/** Who wants to know. A listener added twice is told once. */
export class Listeners {
  private readonly all = new Set<() => void>();

  add(listener: () => void): () => void {
    this.all.add(listener);
    return () => {
      this.all.delete(listener);
    };
  }

  tell(): void {
    for (const listener of this.all) listener();
  }

  get empty(): boolean {
    return this.all.size === 0;
  }
}
