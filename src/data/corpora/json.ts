import type { z } from 'zod';
import { DataError } from '../errors.ts';

/** Checks a value. Throws DataError that names the source and the field. */
export function checkJson<Schema extends z.ZodType>(value: unknown, schema: Schema, source: string): z.infer<Schema> {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  throw new DataError(`${source}, field "${issue?.path.join('.') || '(all)'}": ${issue?.message ?? 'is not valid'}.`);
}
