import type { AdapterSummary } from '../../gpu/adapter.ts';
import type { PlanTable } from '../tuning/table.ts';
import { lavapipe } from './lavapipe.ts';
import { swiftShader } from './swiftShader.ts';

const tables: readonly { readonly adapter: RegExp; readonly plans: PlanTable }[] = [
  { adapter: /llvmpipe|lavapipe/i, plans: lavapipe },
  { adapter: /swiftshader/i, plans: swiftShader },
];

/** The plans that come with this version for an adapter; those measured on the very device go over them. */
export function shippedTable({ vendor, architecture, description }: AdapterSummary): PlanTable {
  const name = `${vendor} ${architecture} ${description}`;
  return tables.find(({ adapter }) => adapter.test(name))?.plans ?? {};
}
