import { elementBytes } from '../kernels/dtype.ts';
import { bindingAlignment } from '../kernels/ndarray.ts';
import type { Parameter } from './module.ts';

/** A parameter's place in a segment; `offset` is in elements. */
export interface PlacedParameter {
  readonly name: string;
  readonly parameter: Parameter;
  readonly offset: number;
}

/** Parameters that share one flat buffer of `length` elements. */
export interface SegmentPlan {
  readonly length: number;
  readonly trainable: boolean;
  readonly parameters: readonly PlacedParameter[];
}

/** Elements from one parameter's start to a place where the next may start. */
const alignment = bindingAlignment / elementBytes('f32');

function aligned(elements: number): number {
  return Math.ceil(elements / alignment) * alignment;
}

/**
 * Lays parameters out in flat segments in their order, each starting where a binding may start. Frozen parameters get
 * segments of their own, which need no gradients. A parameter larger than `maxElements` gets a segment to itself.
 */
export function planSegments(
  parameters: Iterable<readonly [name: string, parameter: Parameter]>,
  maxElements: number,
  isFrozen: (name: string) => boolean,
): SegmentPlan[] {
  const plans: SegmentPlan[] = [];
  const open = new Map<boolean, { length: number; trainable: boolean; parameters: PlacedParameter[] }>();
  for (const [name, parameter] of parameters) {
    const trainable = !isFrozen(name);
    const size = aligned(parameter.size);
    let segment = open.get(trainable);
    if (!segment || segment.length + size > maxElements) {
      segment = { length: 0, trainable, parameters: [] };
      open.set(trainable, segment);
      plans.push(segment);
    }
    segment.parameters.push({ name, parameter, offset: segment.length });
    segment.length += size;
  }
  return plans;
}
