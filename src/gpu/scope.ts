/** Key of the method that says what has to live on when an object is returned from a scope. */
export const escapes: unique symbol = Symbol('escapes');

/** Something with a lifetime that a scope can end, and which says what has to live on when it is returned. */
export interface Scoped {
  dispose(): void;
  /** The objects that must survive when this one leaves a scope. */
  [escapes](): Iterable<Scoped>;
}

function isScoped(value: object): value is Scoped {
  return escapes in value;
}

function collectEscaping(value: unknown, kept: Set<Scoped>): void {
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return;
  if (isScoped(value)) {
    for (const item of value[escapes]()) kept.add(item);
    return;
  }
  for (const item of value instanceof Map ? value.values() : Object.values(value)) collectEscaping(item, kept);
}

/** A stack of scopes. What is tracked inside one is disposed at its end, unless the scope's function returned it. */
export class ScopeStack {
  private readonly stack: Set<Scoped>[] = [];

  get depth(): number {
    return this.stack.length;
  }

  track(item: Scoped): void {
    this.stack.at(-1)?.add(item);
  }

  /** The item ends with the scope that `owner` belongs to, or with none. */
  follow(item: Scoped, owner: Scoped): void {
    for (const scope of this.stack) {
      scope.delete(item);
      if (scope.has(owner)) scope.add(item);
    }
  }

  /**
   * A scope that lasts until its `dispose`, for work with turns of the event loop in it. Scopes opened meanwhile must end
   * before it does.
   */
  open(): { dispose(): void; [Symbol.dispose](): void } {
    const scope = new Set<Scoped>();
    this.stack.push(scope);
    const dispose = (): void => {
      if (this.stack.at(-1) === scope) this.close(scope, new Set());
    };
    return { dispose, [Symbol.dispose]: dispose };
  }

  run<T>(body: () => T): T {
    const scope = new Set<Scoped>();
    this.stack.push(scope);
    let result: T;
    try {
      result = body();
    } catch (error) {
      this.close(scope, new Set());
      throw error;
    }
    const kept = new Set<Scoped>();
    collectEscaping(result, kept);
    this.close(scope, kept);
    return result;
  }

  private close(scope: Set<Scoped>, kept: ReadonlySet<Scoped>): void {
    this.stack.pop();
    for (const item of scope) {
      if (kept.has(item)) this.track(item);
      else item.dispose();
    }
  }
}
