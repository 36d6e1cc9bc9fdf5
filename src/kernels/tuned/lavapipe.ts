import type { PlanTable } from '../tuning/table.ts';

/** Empty: no plan was measured to be faster than the rules on it. */
export const lavapipe: PlanTable = {};
