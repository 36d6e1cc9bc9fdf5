/** jax-js calls `map` on iterators, which Node has from version 22 on. */
export function installIteratorHelpers(): void {
  const iterators = Object.getPrototypeOf(Object.getPrototypeOf([][Symbol.iterator]())) as object;
  if ('map' in iterators) return;
  const map = function* <T, U>(this: Iterable<T>, turn: (value: T, index: number) => U): Generator<U> {
    let index = 0;
    for (const value of this) yield turn(value, index++);
  };
  const filter = function* <T>(this: Iterable<T>, keep: (value: T, index: number) => boolean): Generator<T> {
    let index = 0;
    for (const value of this) if (keep(value, index++)) yield value;
  };
  const toArray = function <T>(this: Iterable<T>): T[] {
    return [...this];
  };
  for (const [name, value] of Object.entries({ map, filter, toArray }))
    Object.defineProperty(iterators, name, { value, configurable: true, writable: true });
}
