/** What pickles hold, as plain data: nothing here has ever been imported or called. */

/** A Python class or function, by name only. */
export class PickleGlobal {
  readonly name: string;

  /** @param name such as `collections.OrderedDict` */
  constructor(name: string) {
    this.name = name;
  }
}

/** What calling something unknown would have made: its name, arguments and state. It does nothing. */
export class PickleStub {
  readonly name: string;
  readonly args: unknown;
  state: unknown;

  constructor(name: string, args: unknown) {
    this.name = name;
    this.args = args;
  }
}

/** Dictionaries are Maps, lists and tuples arrays, sets Sets, whole numbers beyond 2^53 bigints, bytes Uint8Arrays. */
export type PickleValue = unknown;
