import type { Module } from './module.ts';

/** How many random numbers every module below some module had drawn at a certain time. */
export type RandomPlace = ReadonlyMap<Module, number>;

/** Where the random numbers of `module` and of all below it are now. */
export function randomPlace(module: Module): RandomPlace {
  return new Map([...module.namedModules()].map(([, child]) => [child, child.draws]));
}

/**
 * Runs a pass through `module` again, as it was when its random numbers were at `place`: dropout draws the same masks,
 * and batch norms, which took notice of the data the first time, leave their running statistics alone.
 */
export function repeatPass<T>(module: Module, place: RandomPlace, body: () => T): T {
  const before = [...module.namedModules()].map(([, child]) => {
    const { draws, repeating } = child;
    return { child, draws, repeating };
  });
  for (const { child } of before) {
    child.draws = place.get(child) ?? 0;
    child.repeating = true;
  }
  try {
    return body();
  } finally {
    for (const { child, draws, repeating } of before) Object.assign(child, { draws, repeating });
  }
}
